import { EventEmitter } from 'node:events';
import type { Agent, IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { type Duplex, PassThrough, pipeline, type Readable } from 'node:stream';
import { createProxyMiddleware, type Plugin } from 'http-proxy-middleware';
import { type HttpResponse, unavailable } from '../../protocol/index.ts';
import { answeredHeaders } from './headers.ts';

/** A request to send: written anew from what was understood of the client's request. */
export interface Outgoing {
  readonly verb: string;
  /** Path and query at the API server, behind the path of its URL. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** A stream is sent chunked, bytes with their length. Without a body nothing follows the headers. */
  readonly body?: Buffer | Readable | undefined;
  readonly signal: AbortSignal;
}

/** Bound on the answer to an upgrade. */
const upgradeTimeoutMs = 10_000;

/** Listeners of a client's response: those here, express and, per attempt, the library. More would be a leak. */
const maxResponseListeners = 24;

/**
 * http-proxy-middleware for one API server: sends requests and upgrades over the agent's connections. The library sees
 * a request of our own, never the client's, so that only headers and bytes that were put there are sent. The body of a
 * client's GET would otherwise be written behind the end of the request, and be read as the next request.
 */
export class GatewayProxy {
  readonly #middleware;

  constructor(target: string, agent: Agent) {
    this.#middleware = createProxyMiddleware<IncomingMessage, ServerResponse>({
      target,
      agent,
      changeOrigin: true,
      upgradeTimeout: upgradeTimeoutMs,
      selfHandleResponse: true, // an API server's refusal is not the gateway's answer, and is recognized first
      ejectPlugins: true, // no log lines and no error pages but ours
      plugins: [reportToRequest],
    });
  }

  /**
   * Sends a request and gives the answer's head; its body is to be read.
   * @param response the client's, if there is one: when that closes, the request ends
   * @throws what the socket throws, or the signal's reason
   */
  send(outgoing: Outgoing, response?: HttpResponse): Promise<IncomingMessage> {
    const request = new ProxyRequest(outgoing);
    const { signal } = outgoing;
    const abort = () => request.answer.reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
    else {
      response?.setMaxListeners(maxResponseListeners);
      const to = (response ?? noResponse()) as ServerResponse;
      const { reject } = request.answer;
      void this.#middleware(request.asMessage(), to, reject).catch(reject);
    }
    return request.answer.promise.finally(() => signal.removeEventListener('abort', abort));
  }

  /** Sends an upgrade. A WebSocket or a refusal goes to the socket, which is closed at the end. */
  async upgrade(outgoing: Outgoing, socket: Duplex, head: Buffer): Promise<void> {
    if (socket.destroyed) return; // its client left while the link was opened, and nothing would say so again
    const request = new ProxyRequest(outgoing, socket as Socket);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    request.answer.promise.catch(reject);
    socket.once('close', () => resolve());
    this.#middleware.upgrade(request.asMessage(), socket as Socket, head);
    await promise;
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
