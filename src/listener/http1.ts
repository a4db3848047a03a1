import { createServer, type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { Code, type Reason } from '../protocol/index.ts';
import type { Fronts, ListenerOptions } from './options.ts';

/** HTTP/1.1 over sockets that the listener accepted. */
export interface Http1 {
  accept(socket: Duplex): void;
  /** The number of open connections. */
  count(): number;
  /** From now on every answer closes its connection. Idle ones stay open for a moment: a request may be arriving. */
  beginDrain(): void;
  /** Closes connections that were idle since the last call. Called repeatedly while draining. */
  closeIdle(): void;
  close(): void;
}

interface Connection {
  /** The answer to the latest request. */
  response?: ServerResponse;
  bytesReadBefore: number;
}

/** The members that `node:http` uses of a socket; a TLS socket has them too. */
type HttpSocket = Duplex & { readonly bytesRead: number; destroySoon(): void };

type Options = Pick<
  ListenerOptions,
  'headerTimeoutMs' | 'requestTimeoutMs' | 'idleTimeoutMs' | 'maxHeaderBytes' | 'log' | 'refused'
>;

/** Sends requests to `fronts.http` and upgrades to `fronts.upgrade`. Per request it costs one entry in a map. */
export function createHttp1(options: Options, fronts: Pick<Fronts, 'http' | 'upgrade'>): Http1 {
  const connections = new Map<HttpSocket, Connection>();
  let draining = false;
  /** No front sees such a request, so that its line and its count come from here. */
  const refused = (socket: Duplex, status: number, reason?: string) => {
    options.log('info', 'a request was refused before it was read', { status, reason });
    options.refused?.(String(status));
    refuse(socket, status);
  };
  const server = createServer({
    // node:http insists on this order; a header is part of its request anyway
    headersTimeout: Math.min(options.headerTimeoutMs, options.requestTimeoutMs),
    requestTimeout: options.requestTimeoutMs,
    keepAliveTimeout: options.idleTimeoutMs,
    connectionsCheckingInterval: Math.min(5000, options.headerTimeoutMs),
    maxHeaderSize: options.maxHeaderBytes,
    // curl offers an upgrade to h2c with every --http2 request: such a request is answered as an ordinary one
    shouldUpgradeCallback: ({ headers }) =>
      Boolean(fronts.upgrade) && headers.upgrade?.toLowerCase() === 'websocket',
  });
  // node:http starts looking for slow headers and bodies when its server listens, and this one never does
  server.emit('listening');
  server.timeout = options.idleTimeoutMs;
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const refusal = refusalOf(request);
    if (refusal !== undefined) return refused(request.socket, refusal);
    const connection = connections.get(request.socket as HttpSocket);
    if (connection) connection.response = response;
    if (draining) response.setHeader('connection', 'close');
    fronts.http(request, response);
  });
  server.on('timeout', socket => {
    if (isOver(connections.get(socket)?.response) || socket.writableLength > 0) socket.destroy();
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (!socket.writable || error.code === 'ECONNRESET') return void socket.destroy();
    refused(socket, clientErrorStatus[error.code ?? ''] ?? 400, error.code);
  });
  if (fronts.upgrade) {
    server.on('upgrade', (request, socket, head) => {
      const refusal = refusalOf(request);
      if (refusal !== undefined) return refused(socket, refusal);
      connections.delete(socket as HttpSocket);
      fronts.upgrade?.(request, socket, head);
    });
  }

  return {
    accept(duplex) {
      const socket = duplex as HttpSocket;
      connections.set(socket, { bytesReadBefore: 0 });
      socket.once('close', () => connections.delete(socket));
      server.emit('connection', socket);
    },
    count: () => connections.size,
    beginDrain() {
      draining = true;
      for (const { response } of connections.values()) {
        if (response && !response.headersSent) response.setHeader('connection', 'close');
      }
    },
    closeIdle() {
      for (const [socket, connection] of connections) {
        const quiet = socket.bytesRead === connection.bytesReadBefore;
        connection.bytesReadBefore = socket.bytesRead;
        if (quiet && isOver(connection.response)) socket.destroySoon();
      }
    },
    close: () => void server.close(),
  };
}

/** No answer is in progress. Its last bytes may be unsent; `destroySoon` waits for them. */
function isOver(response: ServerResponse | undefined): boolean {
  return response === undefined || response.writableEnded;
}

/**
 * The status for a request that this connection cannot carry, or nothing. The parser reads `GET / HTTP/2.0` too, which
 * must never be taken for an HTTP/2 request; with two `Host` headers another server may have read the other one.
 * Rules: https://www.rfc-editor.org/rfc/rfc9110#section-15.6.6, https://www.rfc-editor.org/rfc/rfc9112#section-3.2
 */
function refusalOf({ httpVersion, rawHeaders }: IncomingMessage): 400 | 505 | undefined {
  if (httpVersion !== '1.1' && httpVersion !== '1.0') return 505;
  const hosts = rawHeaders.filter((name, index) => index % 2 === 0 && name.toLowerCase() === 'host');
  return hosts.length > 1 ? 400 : undefined;
}

/** Answers with the error's JSON, past whoever serves the connection, and closes it. */
function refuse(socket: Duplex, status: number): void {
  const text = STATUS_CODES[status] ?? '';
  const { code, reason } = refusals[status] ?? { code: Code.INVALID_ARGUMENT, reason: 'INVALID_REQUEST' };
  const body = JSON.stringify({ code, message: text, reason });
  socket.end(
    `HTTP/1.1 ${status} ${text}\r\nConnection: close\r\nContent-Type: application/json\r\n` +
      `Content-Length: ${body.length}\r\n\r\n${body}`,
    () => socket.destroy(),
  );
}

const refusals: Readonly<Record<number, { code: Code; reason: Reason }>> = {
  408: { code: Code.UNKNOWN, reason: 'DEADLINE_EXCEEDED' },
  413: { code: Code.UNKNOWN, reason: 'BODY_TOO_LARGE' },
  431: { code: Code.UNKNOWN, reason: 'LIMIT_EXCEEDED' },
  505: { code: Code.UNIMPLEMENTED, reason: 'NOT_SUPPORTED' },
};

const clientErrorStatus: Record<string, number> = {
  HPE_HEADER_OVERFLOW: 431,
  HPE_INVALID_VERSION: 505,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};
