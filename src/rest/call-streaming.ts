import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { type CallContext, Code, GatewayError, type HttpResponse, isGone } from '../protocol/index.ts';
import { swiftJson } from '../releases/index.ts';
import type { Match } from './bind-request.ts';
import { errorJson, errorStatus } from './errors.ts';
import type { Answered, Exchange } from './exchange.ts';

/**
 * Calls a method that streams and answers with newline-delimited JSON: `{"result": ...}` a line, sent as soon as it is
 * there, and `{"error": ...}` as the last where it fails. A failure before the first line gets its HTTP status as well.
 */
export async function callStreaming(
  exchange: Exchange,
  match: Match,
  call: (message: Uint8Array, context: CallContext) => AsyncIterable<Uint8Array>,
  message: Uint8Array,
  context: CallContext,
): Promise<Answered> {
  const { response } = exchange;
  const lines = new LineWriter(response, context);
  let failure: unknown;
  try {
    for await (const reply of call(message, context)) {
      await lines.write('result', swiftJson(match.route.method.contract.response, reply), 200);
    }
  } catch (error) {
    failure = error;
    const shown = GatewayError.from(error);
    if (!context.signal.aborted || shown.code !== Code.CANCELLED)
      await lines.write('error', errorJson(shown), errorStatus(shown));
  }
  lines.begin(200);
  if (!isGone(response)) response.end();
  return { code: failure ? GatewayError.from(failure).code : Code.OK, bytes: lines.bytes, error: failure };
}

class LineWriter {
  bytes = 0;
  private readonly response: HttpResponse;
  private readonly context: CallContext;
  private begun = false;

  constructor(response: HttpResponse, context: CallContext) {
    this.response = response;
    this.context = context;
  }

  /** Sends the headers, once: the status is that of the first line. `no-transform` and `no` keep proxies from collecting lines. */
  begin(status: number): void {
    if (this.begun || isGone(this.response)) return;
    this.begun = true;
    this.response.statusCode = status;
    this.response.setHeader('Content-Type', 'application/x-ndjson');
    this.response.setHeader('Cache-Control', 'no-store, no-transform');
    this.response.setHeader('X-Accel-Buffering', 'no');
    this.response.setHeader('X-Content-Type-Options', 'nosniff');
  }

  /** Waits while the client is slower than the lines. */
  async write(name: 'result' | 'error', json: Buffer, status: number): Promise<void> {
    this.begin(status);
    const line = Buffer.concat([Buffer.from(`{"${name}":`), json, Buffer.from('}\n')]);
    this.bytes += line.length;
    if (isGone(this.response) || (this.response as Writable).write(line)) return;
    await once(this.response, 'drain', this.context.signal && { signal: this.context.signal }).catch(
      () => {},
    );
  }
}
