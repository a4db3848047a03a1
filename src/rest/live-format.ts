import { enumType, messageType, WireWriter, wireFields } from '../codec/index.ts';
import { type Exchange, errorBody } from '../http/index.ts';
import { headerOf } from '../protocol/index.ts';
import { swiftJson } from '../releases/index.ts';
import type { StreamFormat } from './answer-stream.ts';

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
    this.#line ??= Buffer.concat([Buffer.from('{"result":'), this.json, Buffer.from('}\n')]);
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
    const head = `event: ${eventName(this.type)}\n${id}data: `;
    return Buffer.concat([Buffer.from(head), this.json, Buffer.from('\n\n')]);
  }
}

function eventName(type: string): string {
  return type.toLowerCase().replace('_', '-');
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
  if (!isServerSent) {
    return {
      type: 'application/x-ndjson',
      start: '',
      message: message => toEvent(message).line,
      failure: error => `${JSON.stringify({ error: errorBody(error) })}\n`,
    };
  }
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
