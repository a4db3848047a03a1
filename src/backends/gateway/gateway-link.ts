import { EventEmitter } from 'node:events';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { type Duplex, PassThrough, pipeline, type Readable } from 'node:stream';
import type { Plugin, RequestHandler } from 'http-proxy-middleware';
import { type ClusterAccess, KeptConnections } from '../../kubernetes/index.ts';
import { type HttpResponse, unavailable } from '../../protocol/index.ts';
import { answeredHeaders } from './headers.ts';

/** A request to send: written anew from what was understood of the client's request. */
export interface Outgoing {
  readonly verb: string;
  /** Path and query at the cluster's gateway. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** A stream is sent chunked, bytes with their length. Without a body nothing follows the headers. */
  readonly body?: Buffer | Readable | undefined;
  readonly signal: AbortSignal;
}

export interface LinkOptions {
  /** Connections to one API server. */
  readonly maxSockets: number;
  /** Bound on connecting to the API server, TLS included. */
  readonly connectTimeoutMs: number;
}

/** The API server of a cluster as of now. Holds secrets: never log it. */
interface Place {
  readonly server: string;
  /** With the credentials. */
  readonly headers: IncomingHttpHeaders;
  /** http-proxy-middleware, over the kept connections. */
  readonly proxy: RequestHandler<IncomingMessage, ServerResponse>;
}

/** Credentials are read again after this time, so that new ones count without a refusal. */
const maxSettingsAgeMs = 5_000;

/** Connections that are kept although nothing uses them. */
const maxFreeSockets = 8;

/** Bound on the answer to an upgrade. */
const upgradeTimeoutMs = 10_000;

/** Listeners of a client's response: those here, express and, per attempt, the library. More would be a leak. */
const maxResponseListeners = 24;

/**
 * The service proxy of one cluster's API server: its credentials, and the connections that are kept open. Every request to
 * the cluster's gateway goes through here, by http-proxy-middleware. That library sees a request of our own, never the
 * client's, so that only headers and bytes that were put there are sent. The body of a client's GET would otherwise be
 * written behind the end of the request, and be read as the next request.
 */
export class GatewayLink {
  /** Path of the service proxy, without a slash at its end. */
  readonly #path: string;
  readonly #access: ClusterAccess;
  #kept: { readonly place: Promise<Place>; readonly readAt: number } | undefined;
  readonly #connections: KeptConnections;

  constructor(access: ClusterAccess, path: string, options: LinkOptions) {
    this.#access = access;
    this.#path = path;
    this.#connections = new KeptConnections({ ...options, maxFreeSockets });
  }

  /** The URL of the API server, for messages. @throws GatewayError UNAVAILABLE where the credentials cannot be read */
  async server(): Promise<string> {
    return (await this.#place()).server;
  }

  /** The API server refused the credentials: the next request reads them anew. */
  forget(): void {
    this.#access.forget();
    this.#kept = undefined;
  }

  /**
   * Sends a request and gives the answer's head; its body is to be read.
   * @param response the client's, if there is one: when that closes, the request ends
   * @throws what the socket throws, or the signal's reason; GatewayError where the credentials cannot be read
   */
  async send(outgoing: Outgoing, response?: HttpResponse): Promise<IncomingMessage> {
    const place = await this.#place();
    const request = this.#requestTo(place, outgoing);
    const { signal } = outgoing;
    const { promise, reject } = request.answer;
    const abort = () => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
    else {
      response?.setMaxListeners(maxResponseListeners);
      const to = (response ?? noResponse()) as ServerResponse;
      void place.proxy(request.asMessage(), to, reject).catch(reject);
    }
    return promise.finally(() => signal.removeEventListener('abort', abort));
  }

  /** Sends an upgrade. A WebSocket or a refusal goes to the socket, which is closed at the end. */
  async upgrade(outgoing: Outgoing, socket: Duplex, head: Buffer): Promise<void> {
    const place = await this.#place();
    if (socket.destroyed) return; // its client left while the link was opened, and nothing would say so again
    const request = this.#requestTo(place, outgoing, socket as Socket);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    request.answer.promise.catch(reject);
    socket.once('close', () => resolve());
    place.proxy.upgrade(request.asMessage(), socket as Socket, head);
    await promise;
  }

  /** Running requests finish. */
  close(): void {
    this.#connections.close();
    this.#kept = undefined;
  }

  #requestTo({ headers }: Place, outgoing: Outgoing, socket?: Socket): ProxyRequest {
    const addressed = { path: this.#path + outgoing.path, headers: { ...outgoing.headers, ...headers } };
    return new ProxyRequest({ ...outgoing, ...addressed }, socket);
  }

  #place(): Promise<Place> {
    const now = performance.now();
    if (!this.#kept || now - this.#kept.readAt > maxSettingsAgeMs) {
      const place = this.#read();
      place.catch(() => {
        this.#kept = undefined;
      });
      this.#kept = { place, readAt: now };
    }
    return this.#kept.place;
  }

  async #read(): Promise<Place> {
    // loaded with the first request: a gateway without such clusters does without the library
    const library = import('http-proxy-middleware');
    const [settings, { createProxyMiddleware }] = await Promise.all([this.#access.settings(), library]);
    const { server, headers } = settings;
    const proxy = createProxyMiddleware<IncomingMessage, ServerResponse>({
      target: server,
      agent: this.#connections.agentFor(settings),
      changeOrigin: true,
      upgradeTimeout: upgradeTimeoutMs,
      selfHandleResponse: true, // an API server's refusal is not the gateway's answer, and is recognized first
      ejectPlugins: true, // no log lines and no error pages but ours
      plugins: [reportToRequest],
    });
    return { server, headers: headers as IncomingHttpHeaders, proxy };
  }
}

/** The request that the library sees. */
class ProxyRequest extends PassThrough {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly httpVersion = '1.1';
  readonly httpVersionMajor = 1;
  readonly socket: Pick<Socket, 'writable'>;
  readonly signal: AbortSignal;
  readonly answer = Promise.withResolvers<IncomingMessage>();

  constructor({ verb, path, headers, body, signal }: Outgoing, socket?: Socket) {
    super();
    this.method = verb;
    this.url = path;
    this.headers = headers;
    this.signal = signal;
    // a WebSocket's own, which leads to its server: the library upgrades nothing without one
    this.socket = socket ?? { writable: true };
    // without an answer the rest of a client's body is dropped, so that its connection can carry the error
    this.answer.promise.catch(() => this.resume());
    if (Buffer.isBuffer(body)) this.end(body);
    else if (body) pipeline(body, this, error => error && this.answer.reject(error));
    else this.end();
  }

  asMessage(): IncomingMessage {
    return this as unknown as IncomingMessage;
  }
}

/** In place of a client's response, for requests of this program's own. */
function noResponse() {
  const state = { headersSent: false, finished: false, writableFinished: true, destroyed: false };
  return Object.assign(new EventEmitter(), state, { destroy() {} }) as unknown as ServerResponse;
}

/** Brings the library's events to the request that they are about. */
const reportToRequest: Plugin<IncomingMessage, ServerResponse> = proxy => {
  const of = (request: IncomingMessage | undefined) => request as unknown as ProxyRequest | undefined;
  proxy.on('proxyReq', (outgoing, request) => {
    const { signal } = of(request)!;
    const abort = () => outgoing.destroy();
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    outgoing.once('close', () => signal.removeEventListener('abort', abort));
    // a 101 that nobody asked for would be no answer and no error
    outgoing.once('upgrade', (_answer, socket) => {
      socket.destroy();
      of(request)?.answer.reject(unavailable("the cluster's gateway switched to another protocol"));
    });
  });
  proxy.on('proxyReqWs', (outgoing, _request, socket) => {
    // the library joins the two ends for data and errors, and forgets one when the other is closed
    if (socket.destroyed) outgoing.destroy();
    socket.once('close', () => outgoing.destroy());
    outgoing.once('response', () => socket.resume()); // a refusal: only so the client's leaving is seen
    outgoing.once('upgrade', (_answer, server) => {
      socket.once('close', () => server.destroy());
      server.once('close', () => socket.end());
    });
    // before the library's own listeners, which write all of the answer's headers to the socket
    const limit = (answer: IncomingMessage) => {
      answer.headers = Object.fromEntries(answeredHeaders(answer.headers, true));
    };
    outgoing.prependListener('upgrade', limit).prependListener('response', limit);
  });
  proxy.on('proxyRes', (answer, request) => of(request)?.answer.resolve(answer));
  proxy.on('error', (error, request) => of(request)?.answer.reject(error));
  proxy.on('econnreset', (error, request) => of(request)?.answer.reject(error));
};
