/**
 * The part of an API server that release records are read through, in memory and over plain HTTP: get, list with pages,
 * watch with bookmarks, access reviews, and the faults of a real one on demand.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import type { ClusterAccess } from '../../src/kubernetes/index.ts';

export interface StoredObject {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly resourceVersion?: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly [field: string]: unknown;
}

interface Watcher {
  readonly resource: string;
  readonly namespace: string | undefined;
  readonly matches: (object: StoredObject) => boolean;
  readonly response: ServerResponse;
}

export class RecordsApiServer {
  /** `list /api/v1/...`, `watch ...`, `get ...`, `review ...`, in order. */
  readonly asked: string[] = [];
  /** Rights that are not given, such as `list secrets`. */
  readonly denied = new Set<string>();
  /** Answers every request with this status, where it is set. */
  status: number | undefined;
  /** Whether requests without a token are accepted: over plain HTTP, clients send none of a kubeconfig. */
  isOpen = false;
  /** The only token that is accepted. */
  token = 'first';
  /** The token that clients are given; the same unless a test says otherwise. */
  givenToken: string | undefined;
  /** Watches get nothing at all, as on a dead connection. */
  silent = false;
  /** Runs before each list is answered, which waits for it. */
  beforeList: ((labelSelector: string) => Promise<void> | undefined) | undefined;
  /** Watches from a version before this one are expired. */
  oldestVersion = 0;
  readonly #server: Server = createServer((request, response) => void this.#answer(request, response));
  readonly #sockets = new Set<Socket>();
  readonly #objects = new Map<string, StoredObject>();
  readonly #events: { version: number; resource: string; type: string; object: StoredObject }[] = [];
  readonly #watchers = new Set<Watcher>();
  #version = 1000;
  #port = 0;

  static async start(): Promise<RecordsApiServer> {
    const server = new RecordsApiServer();
    server.#server.on('connection', socket => {
      server.#sockets.add(socket);
      socket.once('close', () => server.#sockets.delete(socket));
    });
    await server.up();
    return server;
  }

  /** How clients log in. */
  get access(): ClusterAccess {
    return {
      settings: async () => ({
        server: `http://127.0.0.1:${this.#port}`,
        headers: { authorization: `Bearer ${this.givenToken ?? this.token}` },
        tls: {},
        agent: undefined,
      }),
      forget: () => {
        this.givenToken = undefined;
      },
    };
  }

  /** As a kubeconfig, for the whole program. */
  get kubeconfig(): string {
    return JSON.stringify({
      clusters: [{ name: 'c', cluster: { server: `http://127.0.0.1:${this.#port}` } }],
      contexts: [{ name: 'c', context: { cluster: 'c' } }],
      'current-context': 'c',
    });
  }

  get watchers(): number {
    return this.#watchers.size;
  }

  count(verb: string): number {
    return this.asked.filter(line => line.startsWith(`${verb} `)).length;
  }

  /** Adds or replaces an object. */
  put(resource: string, object: StoredObject): void {
    const key = `${resource}/${object.metadata.namespace}/${object.metadata.name}`;
    const type = this.#objects.has(key) ? 'MODIFIED' : 'ADDED';
    const version = ++this.#version;
    const stored = { ...object, metadata: { ...object.metadata, resourceVersion: String(version) } };
    this.#objects.set(key, stored);
    this.#tell({ version, resource, type, object: stored });
  }

  delete(resource: string, namespace: string, name: string): void {
    const key = `${resource}/${namespace}/${name}`;
    const object = this.#objects.get(key);
    if (!object) throw new Error(`no ${key}`);
    this.#objects.delete(key);
    const version = ++this.#version;
    const last = { ...object, metadata: { ...object.metadata, resourceVersion: String(version) } };
    this.#tell({ version, resource, type: 'DELETED', object: last });
  }

  /** Ends the connections of all watches. */
  cutWatches(): void {
    for (const { response } of this.#watchers) response.destroy();
  }

  /** Forgets what happened until now, and says so to those who watch. */
  expire(): void {
    this.oldestVersion = ++this.#version;
    for (const { response } of this.#watchers) response.end(`${JSON.stringify(expired)}\n`);
  }

  /** Nothing listens any more. */
  async down(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  /** Listens, at the same port as before. */
  async up(): Promise<void> {
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#server.listening) await this.down();
  }

  #tell(event: { version: number; resource: string; type: string; object: StoredObject }): void {
    this.#events.push(event);
    if (this.silent) return;
    for (const watcher of this.#watchers) this.#send(watcher, event);
  }

  #send(
    watcher: Watcher,
    { resource, type, object }: { resource: string; type: string; object: StoredObject },
  ): void {
    if (resource === watcher.resource && isIn(watcher.namespace, object) && watcher.matches(object))
      watcher.response.write(
        Buffer.concat([Buffer.from(`{"type":"${type}","object":`), bytesOf(object), Buffer.from('}\n')]),
      );
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://api');
    if (this.status !== undefined) return refuse(response, this.status);
    const { authorization = this.isOpen ? `Bearer ${this.token}` : undefined } = request.headers;
    if (authorization !== `Bearer ${this.token}`) return refuse(response, 401);
    if (url.pathname.endsWith('/selfsubjectaccessreviews')) return this.#review(request, response);
    const match = /^\/api\/v1(?:\/namespaces\/([^/]+))?\/(configmaps|secrets|pods)(?:\/([^/]+))?$/.exec(
      url.pathname,
    );
    if (!match) return refuse(response, 404);
    const [, namespace, resource = '', name] = match;
    const verb = name !== undefined ? 'get' : url.searchParams.has('watch') ? 'watch' : 'list';
    this.asked.push(`${verb} ${request.url}`);
    if (this.denied.has(`${verb} ${resource}`)) return refuse(response, 403);
    if (verb === 'get') {
      const object = this.#objects.get(`${resource}/${namespace}/${name}`);
      return object ? send(response, object) : refuse(response, 404);
    }
    const matches = selectorOf(url.searchParams.get('labelSelector') ?? '');
    if (verb === 'watch') return this.#watch({ resource, namespace, matches, response }, url);
    await this.beforeList?.(url.searchParams.get('labelSelector') ?? '');
    this.#list({ resource, namespace, matches, response }, url);
  }

  #list({ resource, namespace, matches, response }: Watcher, { searchParams }: URL): void {
    const all = [...this.#objects.entries()]
      .filter(([key, object]) => key.startsWith(`${resource}/`) && isIn(namespace, object) && matches(object))
      .sort(([a], [b]) => (a < b ? -1 : 1));
    const [version = this.#version, after = ''] = (searchParams.get('continue') ?? '')
      .split('|', 2)
      .filter(Boolean);
    if (Number(version) < this.oldestVersion) {
      refuse(response, 410);
      return;
    }
    const rest = all.filter(([key]) => key > after);
    const page = rest.slice(0, Number(searchParams.get('limit') ?? rest.length));
    const last = page.at(-1)?.[0];
    const metadata = JSON.stringify({
      resourceVersion: String(version),
      ...(page.length < rest.length && { continue: `${version}|${last}` }),
    });
    const items = page.flatMap(([, object], index) => [Buffer.from(index > 0 ? ',' : ''), bytesOf(object)]);
    const head = Buffer.from(`{"kind":"List","metadata":${metadata},"items":[`);
    response
      .writeHead(200, { 'content-type': 'application/json' })
      .end(Buffer.concat([head, ...items, Buffer.from(']}')]));
  }

  #watch(watcher: Watcher, { searchParams }: URL): void {
    const { response } = watcher;
    const from = Number(searchParams.get('resourceVersion'));
    response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders();
    if (from < this.oldestVersion) {
      response.end(`${JSON.stringify(expired)}\n`);
      return;
    }
    for (const event of this.#events) if (event.version > from) this.#send(watcher, event);
    this.#watchers.add(watcher);
    const timer = setTimeout(
      () => {
        if (this.silent) return;
        const object = { metadata: { resourceVersion: String(this.#version) } };
        response.end(`${JSON.stringify({ type: 'BOOKMARK', object })}\n`);
      },
      Number(searchParams.get('timeoutSeconds')) * 1000,
    );
    response.once('close', () => {
      clearTimeout(timer);
      this.#watchers.delete(watcher);
    });
  }

  async #review(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = '';
    for await (const chunk of request) text += chunk;
    const { verb, resource } = JSON.parse(text).spec.resourceAttributes;
    this.asked.push(`review ${verb} ${resource}`);
    send(response, { status: { allowed: !this.denied.has(`${verb} ${resource}`) } }, 201);
  }
}

const expired = {
  type: 'ERROR',
  object: { kind: 'Status', code: 410, reason: 'Expired', message: 'too old' },
};

const bytes = new WeakMap<StoredObject, Buffer>();

/** An object as JSON, written once, however many lists and watches give it. */
function bytesOf(object: StoredObject): Buffer {
  const known = bytes.get(object) ?? Buffer.from(JSON.stringify(object));
  bytes.set(object, known);
  return known;
}

function send(response: ServerResponse, body: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

function refuse(response: ServerResponse, code: number): void {
  send(response, { kind: 'Status', code, message: `refused with ${code}` }, code);
}

function isIn(namespace: string | undefined, { metadata }: StoredObject): boolean {
  return namespace === undefined || metadata.namespace === namespace;
}

function selectorOf(text: string): (object: StoredObject) => boolean {
  const wanted = text
    .split(',')
    .filter(Boolean)
    .map(part => /^(.*?)(!?)=(.*)$/.exec(part) ?? []);
  return ({ metadata: { labels = {} } }) =>
    wanted.every(([, key = '', not, value]) => (labels[key] === value) === (not === ''));
}

/** Tiller's Pod, by which its records are located. */
export function tillerPod(namespace = 'kube-system', command: readonly string[] = ['/tiller']): StoredObject {
  return {
    metadata: { name: 'tiller-deploy-1', namespace, labels: { app: 'helm', name: 'tiller' } },
    spec: { containers: [{ command }] },
    status: { conditions: [{ type: 'Ready', status: 'True' }] },
  };
}

/** A release as Tiller's ConfigMap. */
export function releaseRecord(
  wire: Uint8Array,
  {
    name,
    version,
    namespace = 'kube-system',
    status = 'DEPLOYED',
  }: { name: string; version: number; namespace?: string; status?: string },
): StoredObject {
  return {
    metadata: {
      name: `${name}.v${version}`,
      namespace,
      labels: { OWNER: 'TILLER', NAME: name, VERSION: String(version), STATUS: status },
    },
    data: { release: gzipSync(wire).toString('base64') },
  };
}
