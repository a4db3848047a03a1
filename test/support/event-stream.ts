/** A client of a stream of changes over HTTP: newline-delimited JSON, or server-sent events. */
import assert from 'node:assert/strict';
import { type Dispatcher, fetch, type Response } from 'undici';

export interface StreamEvent {
  /** As in the message; of a server-sent event, its name; `comment` or `retry` for what dispatches nothing. */
  readonly type: string;
  readonly id: string;
  readonly release?: {
    readonly name: string;
    readonly version: number;
    readonly info: { readonly status: { readonly code: string } };
  };
  readonly error?: { readonly code: number; readonly message: string; readonly reason: string };
  readonly message?: string;
  readonly cluster?: string;
  /** The piece of the answer. */
  readonly text: string;
}

export interface StreamOptions {
  readonly headers?: Readonly<Record<string, string>>;
  /** For a server with a certificate of its own. */
  readonly dispatcher?: Dispatcher;
}

/** An open stream, whose events are taken one by one. */
export class EventStream {
  readonly response: Response;
  readonly #controller: AbortController;
  readonly #events: AsyncGenerator<StreamEvent, void, undefined>;

  private constructor(response: Response, controller: AbortController) {
    this.response = response;
    this.#controller = controller;
    const isServerSent = response.headers.get('content-type') === 'text/event-stream';
    const separator = isServerSent ? '\n\n' : '\n';
    this.#events = readEvents(response, separator, isServerSent ? parseServerSent : parseLine);
  }

  /** Resolves when the head of the answer is there. */
  static async open(url: string, { headers = {}, dispatcher }: StreamOptions = {}): Promise<EventStream> {
    const controller = new AbortController();
    const { signal } = controller;
    return new EventStream(
      await fetch(url, { headers, signal, ...(dispatcher && { dispatcher }) }),
      controller,
    );
  }

  /** The next event, heartbeats and settings included; undefined at the end. */
  async next(): Promise<StreamEvent | undefined> {
    const { value } = await this.#events.next();
    return value ?? undefined;
  }

  /** The next events that are about releases or the stream itself, as `ADDED a.v1 DEPLOYED`. */
  async take(count: number): Promise<string[]> {
    const taken: string[] = [];
    while (taken.length < count) {
      const event = await this.next();
      if (!event) assert.fail(`the stream ended after ${taken.join(', ')}`);
      if (!isQuiet(event)) taken.push(shown(event));
    }
    return taken;
  }

  /** The next event of this type; what comes before it is dropped. */
  async until(type: string): Promise<StreamEvent> {
    for (;;) {
      const event = await this.next();
      assert.ok(event && event.type !== 'END', `the stream ended: ${event?.text}`);
      if (event.type === type) return event;
    }
  }

  /** The last event of a stream that ends. */
  async last(): Promise<StreamEvent | undefined> {
    let last: StreamEvent | undefined;
    for (let event = await this.next(); event; event = await this.next()) last = event;
    return last;
  }

  leave(): void {
    this.#controller.abort();
  }
}

function isQuiet({ type }: StreamEvent): boolean {
  return type === 'HEARTBEAT' || type === 'comment' || type === 'retry';
}

export function shown({ type, release, cluster }: StreamEvent): string {
  const about = release ? ` ${release.name}.v${release.version} ${release.info.status.code}` : '';
  return `${cluster === undefined ? '' : `${cluster}: `}${type}${about}`;
}

async function* readEvents(
  response: Response,
  separator: string,
  parse: (text: string) => StreamEvent,
): AsyncGenerator<StreamEvent, void, undefined> {
  let rest = '';
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    rest += decoder.decode(chunk, { stream: true });
    const pieces = rest.split(separator);
    rest = pieces.pop() ?? '';
    for (const piece of pieces) yield parse(piece);
  }
  assert.equal(rest, '', 'the answer ends in the middle of an event');
}

function parseLine(text: string): StreamEvent {
  const { result, error } = JSON.parse(text) as {
    result?: Partial<StreamEvent>;
    error?: StreamEvent['error'];
  };
  return { type: error ? 'END' : '', id: '', ...result, ...(error && { error }), text };
}

function parseServerSent(text: string): StreamEvent {
  const fields = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [, name = '', value = ''] = /^([^:]*):? ?(.*)$/.exec(line) ?? [];
    fields.set(name === '' ? 'comment' : name, value);
  }
  const id = fields.get('id') ?? '';
  const data = fields.get('data');
  if (data === undefined) return { type: fields.has('retry') ? 'retry' : 'comment', id, text };
  const type = (fields.get('event') ?? 'message').toUpperCase().replace('-', '_');
  const { type: said = type, ...rest } = JSON.parse(data) as Partial<StreamEvent>;
  assert.equal(said, type);
  return { ...rest, type, id, text } as StreamEvent;
}
