import { Code, GatewayError, type HttpRequest, headerOf, invalidArgument } from '../protocol/index.ts';

/** The body is over the limit: HTTP 413, and the code that gRPC has for a message that is too large. */
export class BodyTooLarge extends GatewayError {
  constructor(maxBytes: number) {
    super(Code.RESOURCE_EXHAUSTED, `the request body is over the limit of ${maxBytes} bytes`);
  }
}

/**
 * The whole body of a request, in memory.
 * @throws BodyTooLarge as soon as it is announced or found to be too large; GatewayError INVALID_ARGUMENT for a body
 * that is cut off or comes in a content encoding
 */
export async function readBody(request: HttpRequest, maxBytes: number): Promise<Buffer> {
  const encoding = headerOf(request, 'content-encoding');
  if (encoding !== undefined && encoding !== 'identity') {
    throw invalidArgument(
      `Content-Encoding: ${JSON.stringify(encoding.slice(0, 40))} is not supported for requests`,
    );
  }
  if (Number(headerOf(request, 'content-length') ?? 0) > maxBytes) throw new BodyTooLarge(maxBytes);
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let total = 0;
    const settle = (action: () => void) => {
      request.off('data', take).off('end', finish).off('error', fail).off('close', cut);
      action();
    };
    const take = (chunk: Buffer) => {
      total += chunk.length;
      if (total > maxBytes) settle(() => reject(new BodyTooLarge(maxBytes)));
      else chunks.push(chunk);
    };
    const finish = () =>
      settle(() => resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, total)));
    const fail = (cause: unknown) =>
      settle(() => reject(invalidArgument('the request body was cut off', { cause })));
    const cut = () => fail(undefined);
    request.on('data', take).on('end', finish).on('error', fail).on('close', cut);
  });
}
