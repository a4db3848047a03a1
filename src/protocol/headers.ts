/** Header names of gRPC over HTTP/2, spelled once. Source: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md */
export const header = {
  acceptEncoding: 'grpc-accept-encoding',
  contentType: 'content-type',
  encoding: 'grpc-encoding',
  message: 'grpc-message',
  status: 'grpc-status',
  timeout: 'grpc-timeout',
  /** The version of Helm that a client of Tiller speaks. */
  helmClient: 'x-helm-api-client',
} as const;

export const grpcContentType = 'application/grpc';

/** Whether a content type is gRPC's: `application/grpc`, alone or followed by `+proto` or parameters; not `application/grpc-web`. */
export function isGrpcContentType(contentType: string | undefined): boolean {
  return contentType !== undefined && /^application\/grpc(?:[+; ]|$)/i.test(contentType);
}
