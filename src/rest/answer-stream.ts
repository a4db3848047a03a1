import type { Method } from '../codec/index.ts';
import { type Answered, type Exchange, errorBody, StreamWriter } from '../http/index.ts';
import { type CallContext, Code, errorToHttpStatus, GatewayError, isGone } from '../protocol/index.ts';
import { replyToJson } from '../releases/index.ts';

/** How the messages of a stream look in an answer. */
export interface StreamFormat<T> {
  readonly type: string;
  /** Sent before the first message. */
  readonly start: string;
  message(message: T): Buffer | string | Promise<Buffer>;
  /** The last message, where the stream fails. */
  failure(error: GatewayError): string;
}

/** How long a client may take to read the end of a stream that was broken off because it did not read. */
const lingerMs = 5_000;

/**
 * Answers with messages as they come. A failure before the first has its HTTP status as well; one behind it is the last
 * message. HEAD gets the head of what would come.
 * @throws GatewayError for a failure before the first message, where the format has no words for it
 */
export async function answerStream<T>(
  exchange: Exchange,
  messages: AsyncGenerator<T, void, undefined>,
  context: CallContext,
  { type, start, message: toText, failure: toFailure }: StreamFormat<T>,
): Promise<Answered> {
  const writer = new StreamWriter(exchange, context.signal, type);
  let failure: unknown;
  let isStarted = false;
  try {
    for await (const message of messages) {
      if (exchange.verb === 'HEAD') break;
      if (!isStarted && start !== '') await writer.write(start);
      isStarted = true;
      await writer.write(await toText(message));
    }
  } catch (error) {
    failure = error;
    const shown = GatewayError.from(error);
    const isLeft = context.signal.aborted && shown.code === Code.CANCELLED;
    if (!isStarted && !isLeft && start !== '') throw error;
    if (!isLeft) await writer.write(toFailure(shown), errorToHttpStatus(shown));
  }
  writer.end();
  if (context.signal.aborted) closeSoon(exchange);
  return { code: failure ? GatewayError.from(failure).code : Code.OK, bytes: writer.bytes, error: failure };
}

function closeSoon({ response }: Exchange): void {
  if (isGone(response)) return;
  const timer = setTimeout(() => response.destroy(), lingerMs).unref();
  response.once('close', () => clearTimeout(timer));
}

const resultStart = Buffer.from('{"result":');
const resultEnd = Buffer.from('}\n');

/** Lines: `{"result": ...}` for each message, and `{"error": ...}` as the last where the stream fails. */
export function linesOf({ response }: Method, context: CallContext): StreamFormat<Uint8Array> {
  return {
    type: 'application/x-ndjson',
    start: '',
    message: async wire => {
      const job = { ...context, what: 'the reply', bytes: wire.length };
      return Buffer.concat([resultStart, await replyToJson(job, response.name, wire), resultEnd]);
    },
    failure: error => `${JSON.stringify({ error: errorBody(error) })}\n`,
  };
}
