const reasons: Record<number, string> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  405: 'MethodNotAllowed',
  500: 'InternalError',
  503: 'ServiceUnavailable',
};

/** An answer with an HTTP status of its own. */
export interface ApiAnswer {
  readonly status: number;
  readonly body: object;
}

/** A failure as the API server words it: a `v1.Status`. */
export function failure(status: number, message: string): ApiAnswer {
  return {
    status,
    body: {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message,
      reason: reasons[status] ?? 'Unknown',
      code: status,
    },
  };
}
