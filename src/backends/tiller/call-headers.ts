import { constants, type OutgoingHttpHeaders } from 'node:http2';
import { formatGrpcTimeout, grpcContentType, header } from '../../protocol/index.ts';

export const tillerService = 'hapi.services.tiller.ReleaseService';

/** The HTTP/2 path of one of Tiller's methods. */
export function tillerPath(method: string): string {
  return `/${tillerService}/${method}`;
}

/**
 * The request headers of a call.
 * @param version the version to speak, which has to be Tiller's own; undefined for GetVersion before it is known
 * @param timeoutMs what is left of the deadline
 */
export function callHeaders(
  path: string,
  version: string | undefined,
  timeoutMs: number | undefined,
): OutgoingHttpHeaders {
  return {
    [constants.HTTP2_HEADER_METHOD]: 'POST',
    [constants.HTTP2_HEADER_PATH]: path,
    [header.contentType]: grpcContentType,
    te: 'trailers',
    'user-agent': 'tiller-gateway',
    ...(version !== undefined && { [header.helmClient]: version }),
    ...(timeoutMs !== undefined && { [header.timeout]: formatGrpcTimeout(timeoutMs) }),
  };
}
