import { createServer, type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { Code, type Reason } from '../protocol/index.ts';
import type { Activity } from './connections.ts';
import type { Fronts, ListenerOptions } from './options.ts';

interface Connection {
  readonly activity: Activity;
  /** Answers that are not sent yet, in the order of their requests; each with its request. */
  readonly open: Map<ServerResponse, IncomingMessage>;
  /** A request was refused: those behind it are not answered any more. */
  isOver?: boolean;
  bytesReadBefore: number;
}

/** The members that `node:http` uses of a socket; a TLS socket has them too. */
type HttpSocket = Duplex & { readonly bytesRead: number; destroySoon(): void };

/** HTTP/1.1 over sockets that the listener accepted: requests go to `fronts.http`, upgrades to `fronts.upgrade`. */
export function createHttp1(options: ListenerOptions, fronts: Pick<Fronts, 'http' | 'upgrade'>) {
  const connections = new Map<HttpSocket, Connection>();
  let draining = false;
  const of = ({ socket }: IncomingMessage) => connections.get(socket as HttpSocket);
  /** No front sees such a request, so that its line and its count come from here. */
  const report = (status: number, reason?: string) => {
    options.log('info', 'a request was refused before it was read', { status, reason });
    options.refused?.(String(status));
  };
  const server = createServer({
    // node:http insists on this order; a header is part of its request anyway
    headersTimeout: Math.min(options.headerTimeoutMs, options.requestTimeoutMs),
    requestTimeout: options.requestTimeoutMs,
    keepAliveTimeout: options.idleTimeoutMs,
    connectionsCheckingInterval: Math.min(5000, options.headerTimeoutMs),
    maxHeaderSize: options.maxHeaderBytes,
    requireHostHeader: false, // as it is by `statusOfRefusal`, with a body, a line and a count
    // curl offers an upgrade to h2c with every --http2 request: such a request is answered as an ordinary one; so is
    // one behind requests whose answers have still to be written to the socket
    shouldUpgradeCallback: request =>
      Boolean(fronts.upgrade) &&
      request.headers.upgrade?.toLowerCase() === 'websocket' &&
      of(request)?.open.size === 0,
  });
  // node:http starts looking for slow headers and bodies when its server listens, and this one never does
  server.emit('listening');
  server.timeout = options.idleTimeoutMs;
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const connection = of(request);
    if (!connection || connection.isOver) return;
    const { activity, open } = connection;
    open.set(response, request);
    activity.began();
    response.once('close', () => {
      open.delete(response);
      activity.ended();
    });
    const status = statusOfRefusal(request);
    if (status !== undefined) {
      connection.isOver = true;
      report(status);
      const { headers, body } = refusalOf(status);
      return void response.writeHead(status, headers).end(body);
    }
    if (draining) response.setHeader('connection', 'close');
    fronts.http(request, response);
  });
  server.on('timeout', (socket: HttpSocket) => {
    if (!isBusy(connections.get(socket)) || socket.writableLength > 0) socket.destroy();
  });
  /** Refuses what no front sees. Nothing behind it is answered any more. */
  const refuseLast = (socket: HttpSocket, status: number, reason?: string) => {
    const connection = connections.get(socket);
    report(status, reason);
    if (connection) connection.isOver = true;
    refuseInTurn(socket, connection, status);
  };
  server.on('clientError', (error: NodeJS.ErrnoException, duplex) => {
    const socket = duplex as HttpSocket;
    if (connections.get(socket)?.isOver) return;
    if (!socket.writable || error.code === 'ECONNRESET') return void socket.destroy();
    refuseLast(socket, clientErrorStatus[error.code ?? ''] ?? 400, error.code);
  });
  // Node would close the connection without a word, and without the answers before it
  server.on('connect', (request: IncomingMessage, duplex: Duplex) => {
    const socket = duplex as HttpSocket & { setTimeout(ms: number, late: () => void): void };
    socket.setTimeout(options.idleTimeoutMs, () => socket.destroy());
    refuseLast(socket, statusOfRefusal(request) ?? 405);
  });
  if (fronts.upgrade) {
    server.on('upgrade', (request, socket, head) => {
      const status = statusOfRefusal(request);
      const connection = connections.get(socket as HttpSocket);
      connection?.activity.began();
      connections.delete(socket as HttpSocket);
      if (status === undefined) return fronts.upgrade?.(request, socket, head);
      report(status);
      refuse(socket, status);
    });
  }

  return {
    accept(duplex: Duplex, activity: Activity): void {
      const socket = duplex as HttpSocket;
      connections.set(socket, { activity, open: new Map(), bytesReadBefore: 0 });
      socket.once('close', () => connections.delete(socket));
      server.emit('connection', socket);
    },
    /** The number of open connections. */
    count: () => connections.size,
    /** From now on every answer closes its connection. Idle ones stay open for a moment: a request may be arriving. */
    beginDrain(): void {
      draining = true;
      for (const { open } of connections.values()) {
        const latest = [...open.keys()].at(-1);
        if (latest && !latest.headersSent) latest.setHeader('connection', 'close');
      }
    },
    /** Closes connections that were idle since the last call. Called repeatedly while draining. */
    closeIdle(): void {
      for (const [socket, connection] of connections) {
        const quiet = socket.bytesRead === connection.bytesReadBefore;
        connection.bytesReadBefore = socket.bytesRead;
        if (quiet && !isBusy(connection)) socket.destroySoon();
      }
    },
    close: () => void server.close(),
  };
}

/** An answer is in progress. The last bytes of one that has ended may be unsent; `destroySoon` waits for them. */
function isBusy(connection: Connection | undefined): boolean {
  return connection !== undefined && [...connection.open.keys()].some(response => !response.writableEnded);
}

/**
 * Refuses what arrives now when the answers before it are sent: a client takes the next answer for that to the first of
 * its requests that has none. It may be the rest of the latest request's body, and then takes the place of its answer.
 */
function refuseInTurn(socket: HttpSocket, connection: Connection | undefined, status: number): void {
  const open = [...(connection?.open ?? [])];
  const [latest, request] = open.at(-1) ?? [];
  const isBody = request?.complete === false;
  if (isBody) open.pop();
  const answer = () => (isBody && latest?.headersSent ? socket.destroy() : refuse(socket, status));
  const [before] = open.at(-1) ?? [];
  if (before) before.once('close', answer);
  else answer();
}

/**
 * The status for a request that this connection cannot carry, or nothing. The parser reads `GET / HTTP/2.0` too, which
 * must never be taken for an HTTP/2 request; with two `Host` headers another server may have read the other one; and of
 * an unknown transfer coding the parser reads the body, and complains, after the request has been carried out.
 * Rules: https://www.rfc-editor.org/rfc/rfc9110#section-15.6.6, https://www.rfc-editor.org/rfc/rfc9112#section-3.2,
 * https://www.rfc-editor.org/rfc/rfc9112#section-6.1
 */
function statusOfRefusal({ httpVersion, rawHeaders, headers }: IncomingMessage): 400 | 501 | 505 | undefined {
  if (httpVersion !== '1.1' && httpVersion !== '1.0') return 505;
  const hosts = rawHeaders.filter((name, index) => index % 2 === 0 && name.toLowerCase() === 'host').length;
  if (hosts > 1 || (hosts === 0 && httpVersion === '1.1')) return 400;
  const coding = headers['transfer-encoding']?.toLowerCase();
  if (coding === undefined || (coding === 'chunked' && httpVersion === '1.1')) return undefined;
  return /[\s,]chunked$/.test(coding) ? 501 : 400;
}

/** The answer to a request that no front sees, after which the connection is closed: the error's JSON. */
function refusalOf(status: number) {
  const { code, reason } = refusals[status] ?? { code: Code.INVALID_ARGUMENT, reason: 'INVALID_REQUEST' };
  const body = JSON.stringify({ code, message: STATUS_CODES[status] ?? '', reason });
  const headers = { Connection: 'close', 'Content-Type': 'application/json', 'Content-Length': body.length };
  return { headers, body };
}

/** Refuses where there is no response to write to. */
function refuse(socket: Duplex, status: number): void {
  if (!socket.writable) return; // it is ending already, behind the answers before
  const { headers, body } = refusalOf(status);
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${body}`, () =>
    socket.destroy(),
  );
}

const refusals: Readonly<Record<number, { code: Code; reason: Reason }>> = {
  405: { code: Code.UNIMPLEMENTED, reason: 'METHOD_NOT_ALLOWED' },
  408: { code: Code.UNKNOWN, reason: 'DEADLINE_EXCEEDED' },
  413: { code: Code.UNKNOWN, reason: 'BODY_TOO_LARGE' },
  431: { code: Code.UNKNOWN, reason: 'LIMIT_EXCEEDED' },
  501: { code: Code.UNIMPLEMENTED, reason: 'NOT_SUPPORTED' },
  505: { code: Code.UNIMPLEMENTED, reason: 'NOT_SUPPORTED' },
};

const clientErrorStatus: Record<string, number> = {
  HPE_HEADER_OVERFLOW: 431,
  HPE_INVALID_VERSION: 505,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};
