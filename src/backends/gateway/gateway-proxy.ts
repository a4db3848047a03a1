import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { createProxyMiddleware, type Plugin } from 'http-proxy-middleware';
import type { HttpRequest, HttpResponse } from '../../protocol/index.ts';
import type { LinkSettings } from './gateway-link.ts';

/** A request as it goes on: what replaces its URL and its headers, and where to. */
export interface Onward {
  readonly settings: LinkSettings;
  /** Path and query at the API server. */
  readonly url: string;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly signal: AbortSignal;
}

interface Pending {
  readonly onward: Onward;
  readonly resolve: (answer: IncomingMessage) => void;
  readonly reject: (error: unknown) => void;
}

/** How many want to know that a client has gone: those here, express and, per attempt, the library. More would be a leak. */
const closeListeners = 24;

/**
 * One http-proxy-middleware for the all clusters behind a gateway: it streams requests out and hands answers over.
 * One for all, because each middleware puts a listener on the server that it sees.
 */
export class GatewayProxy {
  private readonly pending = new WeakMap<object, Pending>();
  private readonly middleware: ReturnType<typeof createProxyMiddleware<IncomingMessage, ServerResponse>>;

  constructor() {
    this.middleware = createProxyMiddleware<IncomingMessage, ServerResponse>({
      target: 'https://0.0.0.0', // always replaced by the router
      changeOrigin: true,
      selfHandleResponse: true, // an API server's refusal is not the gateway's answer, and is told apart first
      ejectPlugins: true, // no log lines and no error pages but ours
      plugins: [this.plugin()],
      router: (request, _response, options) => {
        const pending = this.pending.get(request);
        if (!pending) throw new Error('a request that nobody sent onward');
        const { server, agent } = pending.onward.settings;
        options.agent = agent;
        return new URL(server).origin;
      },
    });
  }

  /** Sends a request on and gives the answer's head; its body is to be read. @throws what the socket throws, or the signal's reason */
  send(request: HttpRequest, response: HttpResponse, onward: Onward): Promise<IncomingMessage> {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    this.register(request, { onward, resolve, reject });
    response.setMaxListeners(closeListeners);
    const abort = () => reject(onward.signal.reason);
    onward.signal.addEventListener('abort', abort, { once: true });
    if (onward.signal.aborted) abort();
    else void this.middleware(request as IncomingMessage, response as ServerResponse, reject).catch(reject);
    return promise.finally(() => onward.signal.removeEventListener('abort', abort));
  }

  /** Sends an upgrade on. What comes of it, a WebSocket or a refusal, goes to the socket, which is closed at the end. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, onward: Onward): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.register(request, { onward, resolve: () => {}, reject });
    socket.once('close', () => resolve());
    this.middleware.upgrade(request, socket as Parameters<typeof this.middleware.upgrade>[1], head);
    return promise;
  }

  private register(request: HttpRequest, pending: Pending): void {
    this.pending.set(request, pending);
    request.url = pending.onward.url;
    // over HTTP/2 the headers are a getter of the prototype
    Object.defineProperty(request, 'headers', { value: { ...pending.onward.headers }, configurable: true });
  }

  private plugin(): Plugin<IncomingMessage, ServerResponse> {
    return proxy => {
      proxy.on('proxyReq', (outgoing: ClientRequest, request) => {
        const { signal } = this.pending.get(request)?.onward ?? {};
        if (!signal) return;
        const abort = () => outgoing.destroy();
        if (signal.aborted) abort();
        signal.addEventListener('abort', abort, { once: true });
        outgoing.once('close', () => signal.removeEventListener('abort', abort));
      });
      proxy.on('proxyRes', (answer, request) => this.pending.get(request)?.resolve(answer));
      proxy.on('error', (error, request) => request && this.pending.get(request)?.reject(error));
      proxy.on('econnreset', (error, request) => this.pending.get(request)?.reject(error));
    };
  }
}
