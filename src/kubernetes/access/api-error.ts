import { type GatewayError, unavailable } from '../../protocol/index.ts';

/** An answer of the API server that is not the one hoped for. */
export interface ApiRefusal {
  readonly status: number;
  /** The beginning of the body, mostly a `v1.Status` as JSON. */
  readonly body: string;
}

const maxReasonChars = 400;

const meanings: Record<number, string> = {
  401: 'the API server does not accept the credentials',
  403: 'the API server forbids it',
  404: 'the API server does not know it',
  429: 'the API server has too many requests',
};

/**
 * Says which step failed and why. All of these are UNAVAILABLE: whoever called the gateway cannot mend its access to
 * the cluster.
 * @param step what was tried, such as `finding Tiller`
 */
export function apiError(step: string, { status, body }: ApiRefusal): GatewayError {
  const meaning = meanings[status] ?? `the API server answered with status ${status}`;
  const reason = statusMessage(body);
  return unavailable(`${step}: ${meaning}${reason && `: ${reason}`}`);
}

/** `message` of a `v1.Status`; nothing of any other body, since a proxy's error page would not help. */
function statusMessage(body: string): string {
  try {
    const { kind, message } = JSON.parse(body);
    if (kind === 'Status' && typeof message === 'string') return message.slice(0, maxReasonChars);
  } catch {
    // not JSON: the status alone has to do
  }
  return '';
}
