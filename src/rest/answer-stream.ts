import { enumType, type Method, messageType, WireWriter, wireFields } from '../codec/index.ts';
import { type Answered, type Exchange, errorBody, StreamWriter } from '../http/index.ts';
import {
  type CallContext,
  Code,
  errorToHttpStatus,
  GatewayError,
  headerOf,
  isGone,
} from '../protocol/index.ts';
import { replyToJson, swiftJson } from '../releases/index.ts';

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

/** A message as a line of newline-delimited JSON. */
function toLine(json: Buffer): Buffer {
  return Buffer.concat([lineStart, json, lineEnd]);
}

const lineStart = Buffer.from('{"result":');
const lineEnd = Buffer.from('}\n');

/** Lines: `{"result": ...}` for each message, and `{"error": ...}` as the last where the stream fails. */
function lines<T>(message: StreamFormat<T>['message']): StreamFormat<T> {
  const failure = (error: GatewayError) => `${JSON.stringify({ error: errorBody(error) })}\n`;
  return { type: 'application/x-ndjson', start: '', message, failure };
}

/** The replies of a method as lines. */
export function linesOf({ response }: Method, context: CallContext): StreamFormat<Uint8Array> {
  return lines(async wire => {
    const job = { ...context, what: 'the reply', bytes: wire.length };
    return toLine(await replyToJson(job, response.name, wire));
  });
}

/** An event of a stream of changes, made into text once for all clients. */
export class LiveEvent {
  /** Such as `ADDED`. */
  readonly type: string;
  /** Empty where the event has none. */
  readonly id: string;
  readonly json: Buffer;
  #line: Buffer | undefined;
  #serverSent: Buffer | undefined;

  constructor(type: string, id: string, json: Buffer) {
    this.type = type;
    this.id = id;
    this.json = json;
  }

  /** As a line of newline-delimited JSON. */
  get line(): Buffer {
    this.#line ??= toLine(this.json);
    return this.#line;
  }

  /**
   * As a server-sent event. A heartbeat is a comment, and its id alone, which dispatches nothing.
   * Source: https://html.spec.whatwg.org/multipage/server-sent-events.html
   */
  get serverSent(): Buffer {
    this.#serverSent ??= this.#toServerSent();
    return this.#serverSent;
  }

  #toServerSent(): Buffer {
    const id = this.id === '' ? '' : `id: ${this.id}\n`;
    if (this.type === 'HEARTBEAT') return Buffer.from(`: heartbeat\n${id}\n`);
    const name = this.type.toLowerCase().replace('_', '-');
    return Buffer.concat([Buffer.from(`event: ${name}\n${id}data: `), this.json, Buffer.from('\n\n')]);
  }
}

const reply = messageType('appscode.swift.v2.WatchReleasesResponse');
const types = enumType('appscode.swift.v2.WatchReleasesResponse.Type').names;
const [typeField, idField] = ['type', 'id'].map(name => reply.byName.get(name)!.number);
const events = new WeakMap<Uint8Array, LiveEvent>();

/** Reads a `WatchReleasesResponse`; the same bytes object gives the same event. */
export function readEvent(wire: Uint8Array): LiveEvent {
  const known = events.get(wire);
  if (known) return known;
  let [type, id] = ['UNKNOWN', ''];
  for (const { number, valueStart, end } of wireFields(wire)) {
    if (number === typeField) type = types.get(wire[valueStart]!) ?? type;
    if (number === idField) id = Buffer.from(wire.subarray(valueStart, end)).toString();
  }
  const event = new LiveEvent(type, id, swiftJson(reply, wire));
  events.set(wire, event);
  return event;
}

/** The bounds of the pause before a browser comes back: not all of them at once, when a gateway stops. */
const [minRetryMs, maxRetryMs] = [1_000, 3_000];

/** How the client wants a stream of changes: as server-sent events where it accepts those, else as lines. */
export function liveFormat<T>({ request }: Exchange, toEvent: (message: T) => LiveEvent): StreamFormat<T> {
  const isServerSent = /(^|,)\s*text\/event-stream\s*(;|,|$)/i.test(headerOf(request, 'accept') ?? '');
  if (!isServerSent) return lines(message => toEvent(message).line);
  const retryMs = Math.round(minRetryMs + Math.random() * (maxRetryMs - minRetryMs));
  return {
    type: 'text/event-stream',
    start: `retry: ${retryMs}\n\n`,
    message: message => toEvent(message).serverSent,
    failure: error => `event: end\ndata: ${JSON.stringify({ error: errorBody(error) })}\n\n`,
  };
}

const resumeField = messageType('appscode.swift.v2.WatchReleasesRequest').byName.get('resume_after')!.number;

/** The id of the last event that the client has seen: `EventSource` sends it as a header by itself. */
export function lastEventId({ request }: Exchange): string {
  return headerOf(request, 'last-event-id') ?? '';
}

/** A WatchReleasesRequest that goes on behind the event of this id; where it is empty, as the request says itself. */
export function resumeAfter(message: Uint8Array, id: string): Uint8Array {
  // of a field that comes twice the last counts
  return id === ''
    ? message
    : new WireWriter(message.length + 64).raw(message).stringField(resumeField, id).finish();
}
