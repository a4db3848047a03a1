/** Requests to a Kubernetes API server as they are: for tests of the sandbox's, and of a real one beside it. */
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { type RequestOptions, request } from 'node:https';
import { createInterface } from 'node:readline';

/** How an API server is reached. */
export interface KubeAddress {
  readonly url: string;
  readonly caPem: string;
  readonly token: string;
}

export interface KubeRequest {
  readonly method?: string;
  readonly path: string;
  readonly type?: string | undefined;
  readonly accept?: string | undefined;
  /** A text is sent as it stands, anything else as JSON. */
  readonly body?: unknown;
}

/** Looked into as it comes: a test fails where a field is not there. */
// biome-ignore lint/suspicious/noExplicitAny: see above
type Parsed = any;

export interface KubeAnswer {
  readonly status: number;
  readonly type: string;
  /** Parsed where it is JSON, otherwise the text. */
  readonly body: Parsed;
}

export interface WatchEvent {
  readonly type: string;
  readonly object: Parsed;
}

/** Sends a request and gives the answer as it comes. The caller reads or destroys it. */
export async function openKube(address: KubeAddress, asked: KubeRequest): Promise<IncomingMessage> {
  const { method = 'GET', path, type, accept, body } = asked;
  const text = body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body);
  const options: RequestOptions = {
    method,
    ca: address.caPem,
    agent: false,
    headers: {
      authorization: `Bearer ${address.token}`,
      ...(accept === undefined ? {} : { accept }),
      ...(body === undefined ? {} : { 'content-type': type ?? 'application/json' }),
      ...(body === undefined ? {} : { 'content-length': Buffer.byteLength(text) }),
    },
  };
  const sent = request(`${address.url}${path}`, options).end(text);
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  return response;
}

export async function askKube(address: KubeAddress, asked: KubeRequest): Promise<KubeAnswer> {
  const response = await openKube(address, asked);
  let text = '';
  for await (const chunk of response.setEncoding('utf8')) text += chunk;
  const type = response.headers['content-type'] ?? '';
  const isJson = type.startsWith('application/json') && text !== '';
  return { status: response.statusCode ?? 0, type, body: isJson ? parseLines(text) : text };
}

/** A watch's body is several objects, a line each. */
function parseLines(text: string): unknown {
  const lines = text.split('\n').filter(line => line !== '');
  return lines.length === 1 ? JSON.parse(text) : lines.map(line => JSON.parse(line));
}

/** An open watch: events one after another, until it ends or is closed. */
export class KubeWatch implements AsyncDisposable {
  readonly #response: IncomingMessage;
  readonly #lines: AsyncIterator<string>;

  private constructor(response: IncomingMessage) {
    this.#response = response;
    response.on('error', () => {}); // a watch may be cut
    this.#lines = createInterface({ input: response })[Symbol.asyncIterator]();
  }

  /** @throws where the answer is no watch */
  static async open(address: KubeAddress, path: string, accept?: string): Promise<KubeWatch> {
    const response = await openKube(address, { path, accept });
    if (response.statusCode !== 200) {
      response.destroy();
      throw new Error(`${path}: HTTP ${response.statusCode}`);
    }
    return new KubeWatch(response);
  }

  /** The next event; undefined when the watch has ended. */
  async next(): Promise<WatchEvent | undefined> {
    const { value, done } = await this.#lines.next();
    return done ? undefined : JSON.parse(value);
  }

  /** The next events, so many. */
  async take(count: number): Promise<WatchEvent[]> {
    const events: WatchEvent[] = [];
    while (events.length < count) {
      const event = await this.next();
      if (!event) throw new Error(`the watch ended after ${events.length} of ${count} events`);
      events.push(event);
    }
    return events;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#response.destroy();
  }
}
