import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import { abortReason } from './deadline.ts';
import { type GatewayError, limitExceeded, unavailable } from './gateway-error.ts';

/** A byte stream; those of node:http and node:http2's compatibility API also have the headers of their message. */
export type ByteStream = Readable & { readonly headers?: IncomingHttpHeaders };

export interface ReadBounds {
  readonly maxBytes: number;
  /** Names the stream in errors. Default: `the body`. */
  readonly what?: string | undefined;
  /** Ends the reading; its reason is thrown. */
  readonly signal?: AbortSignal | undefined;
  /** What to do with bytes beyond the bound. Default `refuse`; `cut` gives the first `maxBytes`. */
  readonly beyond?: 'refuse' | 'cut' | undefined;
  /** Runs for the bytes of each part that arrives; what it throws ends the reading. */
  readonly onBytes?: ((bytes: number) => void) | undefined;
  /**
   * Who owns the stream when reading fails or is cut. By default it is destroyed; `true` leaves it as it is, for a
   * server's request, whose connection still has to carry the answer.
   */
  readonly keepOpen?: boolean | undefined;
}

/**
 * The whole rest of a stream, in memory. Memory grows with what has arrived, not with what is announced.
 * @throws GatewayError RESOURCE_EXHAUSTED with reason BODY_TOO_LARGE as soon as the body is announced or seen to be over
 * the bound, the signal's reason, the stream's own error, or UNAVAILABLE where the stream closed before its end
 */
export function readBounded(stream: ByteStream, bounds: ReadBounds): Promise<Buffer> {
  const { maxBytes, what = 'the body', signal, beyond = 'refuse', keepOpen = false } = bounds;
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const chunks: Buffer[] = [];
  let total = 0;
  const settle = (isWhole: boolean) => {
    signal?.removeEventListener('abort', giveUp);
    stream.off('data', take).off('end', finish).off('error', fail).off('close', cut);
    if (isWhole) return;
    if (keepOpen) stream.pause();
    else stream.on('error', () => {}).destroy();
  };
  const fail = (error: Error) => {
    settle(false);
    reject(error);
  };
  const giveUp = () => fail(abortReason(signal!));
  const cut = () => fail(unavailable(`${what} was cut off`));
  const finish = () => {
    settle(true);
    resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, total));
  };
  const take = (chunk: Buffer) => {
    if (total + chunk.length > maxBytes) {
      if (beyond === 'refuse') return fail(tooLarge(what, maxBytes));
      chunks.push(chunk.subarray(0, maxBytes - total));
      settle(false);
      resolve(Buffer.concat(chunks, maxBytes));
      return;
    }
    total += chunk.length;
    chunks.push(chunk);
    try {
      bounds.onBytes?.(chunk.length);
    } catch (error) {
      fail(error as Error);
    }
  };
  const announced = Number(stream.headers?.['content-length'] ?? 0);
  signal?.addEventListener('abort', giveUp, { once: true });
  if (signal?.aborted) giveUp();
  else if (announced > maxBytes && beyond === 'refuse') fail(tooLarge(what, maxBytes));
  else if (stream.errored) fail(stream.errored);
  else if (stream.readableEnded) finish();
  else if (stream.destroyed) cut();
  else stream.on('data', take).on('end', finish).on('error', fail).on('close', cut);
  return promise;
}

function tooLarge(what: string, maxBytes: number): GatewayError {
  return limitExceeded(`${what} is over the limit of ${maxBytes} bytes`, {
    reason: 'BODY_TOO_LARGE',
  });
}
