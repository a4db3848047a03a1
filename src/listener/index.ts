import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import { unavailable } from '../protocol/index.ts';
import { type Activity, Connections } from './connections.ts';
import { type Protocol, readFirstBytes } from './first-bytes.ts';
import { contain, guardFronts } from './guard-fronts.ts';
import { createHttp1 } from './http1.ts';
import { createHttp2 } from './http2.ts';
import type { Fronts, ListenerOptions, ListenTarget } from './options.ts';
import { createTlsLayer } from './tls.ts';

export type { Fronts, ListenerOptions, TlsOptions } from './options.ts';

/** The one port, and a second one for TLS only where it is configured. */
export interface Listener {
  /**
   * Opens every address.
   * @throws GatewayError UNAVAILABLE with the address that cannot be opened; the others are closed again
   */
  listen(): Promise<void>;
  /** Where it listens, in the order of the targets; ports that the system chose are filled in. */
  addresses(): readonly AddressInfo[];
  /** Open connections by protocol; `total` also counts undecided and upgraded ones. */
  counts(): Readonly<Record<'total' | 'http1' | 'http2', number>>;
  /**
   * Stops accepting, notifies clients, and waits until the requests in progress are answered and the connections are
   * closed; after `timeoutMs` the rest is cut off.
   * @returns how many connections had to be cut off
   */
  drain(timeoutMs: number): Promise<number>;
  /** Stops at once. */
  close(): Promise<void>;
}

/** Requests that clients sent before they learned of the drain arrive within this time. */
const lingerMs = 250;
const drainStepMs = 50;
/** Time limit for accepting the connections that wait when a drain begins. */
const maxBacklogMs = 200;
/** Connections that wait to be accepted; past Node's own 511 a burst would wait for TCP's retries, seconds long. */
const backlog = 4096;
/** For a client without TLS where TLS is expected: HTTP/1.1 is what it most likely reads. */
const tlsOnlyText = 'this port speaks TLS only';
const tlsOnlyAnswer =
  `HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Type: text/plain\r\n` +
  `Content-Length: ${tlsOnlyText.length}\r\n\r\n${tlsOnlyText}`;

/**
 * Reads the certificate files and creates the listener; `listen` opens it.
 * @throws GatewayError INVALID_ARGUMENT where the certificate files cannot be used
 */
export async function createListener(options: ListenerOptions, fronts: Fronts): Promise<Listener> {
  const guarded = guardFronts(fronts, options.log, options.tls?.clientAuth === 'required');
  const http1 = createHttp1(options, guarded);
  const http2 = createHttp2(options, guarded);
  const serve = (socket: Duplex, protocol: 'http1' | 'http2', activity: Activity) => {
    activity.decided();
    (protocol === 'http2' ? http2 : http1).accept(socket, activity);
  };
  const { log, firstByteTimeoutMs } = options;
  const tls = options.tls && (await createTlsLayer(options.tls, firstByteTimeoutMs, log, serve));
  const connections = new Connections(options.maxConnections);
  let accepted = 0;
  let full = false;

  /** Where the limit is reached one connection is closed: an older one that asks for nothing, or else the new one. */
  const admits = (socket: Socket): boolean => {
    const wasFull = full;
    full = connections.isFull;
    if (!full) return true;
    // once for each time the limit is reached, or a flood of connections would be a flood of lines
    if (!wasFull) {
      options.log('warn', 'too many connections are open: one is closed for each further one', {
        maxConnections: options.maxConnections,
      });
    }
    options.refused?.('connections');
    if (connections.makeRoom()) return true;
    socket.destroy();
    return false;
  };
  const route = (socket: Socket, protocol: Protocol, target: ListenTarget, activity: Activity) => {
    if (protocol === 'tls') return tls ? tls.accept(socket, activity) : void socket.destroy();
    if (target.tlsOnly) return void socket.end(tlsOnlyAnswer, () => socket.destroy());
    if (protocol === 'http2' && target.http1Only) return void socket.destroy();
    serve(socket, protocol, activity);
  };
  const servers = options.targets.map(target =>
    createServer(
      { noDelay: true, keepAlive: true, keepAliveInitialDelay: 60_000, allowHalfOpen: true },
      socket => {
        // the protocol's server handles the end of a connection; a reset before that needs no handling
        socket.on('error', () => {});
        if (!admits(socket)) return;
        accepted++;
        const activity = connections.add(socket);
        readFirstBytes(socket, options.firstByteTimeoutMs, protocol =>
          contain(options.log, socket, () => route(socket, protocol, target, activity)),
        );
      },
    ),
  );

  const stop = () => {
    for (const server of servers) server.close();
    tls?.close();
  };
  const cut = () => {
    http1.close();
    return connections.destroyAll();
  };
  return {
    async listen() {
      try {
        for (const [index, server] of servers.entries()) await open(server, options.targets[index]!, options);
      } catch (error) {
        stop();
        throw error;
      }
    },
    addresses: () => servers.map(server => server.address() as AddressInfo),
    counts: () => ({ total: connections.size, http1: http1.count(), http2: http2.count() }),
    async drain(timeoutMs) {
      const deadline = performance.now() + timeoutMs;
      await emptyBacklog(() => accepted, Math.min(maxBacklogMs, timeoutMs));
      stop();
      http1.beginDrain();
      http2.drain();
      const lingerUntil = Math.min(performance.now() + lingerMs, deadline);
      while (connections.size > 0 && performance.now() < lingerUntil) await sleep(drainStepMs);
      while (connections.size > 0 && performance.now() < deadline) {
        await turn(); // a busy process reads pending input here, before it takes a connection for idle
        http1.closeIdle();
        connections.closeUndecided();
        await sleep(drainStepMs);
      }
      return cut();
    },
    async close() {
      stop();
      cut();
    },
  };
}

/**
 * Waits until the connections in the kernel's queue are accepted, since closing the server would reset them: their
 * clients may have sent requests already. Node accepts one connection in each turn of the event loop.
 */
async function emptyBacklog(accepted: () => number, timeoutMs: number): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  for (let quietTurns = 0; quietTurns < 3 && performance.now() < deadline; ) {
    const before = accepted();
    await turn();
    quietTurns = accepted() === before ? quietTurns + 1 : 0;
  }
}

async function open(
  server: Server,
  { host, port }: ListenTarget,
  { log, refused }: Pick<ListenerOptions, 'log' | 'refused'>,
): Promise<void> {
  server.listen({ port, backlog, ...(host === undefined ? {} : { host }) });
  await once(server, 'listening').catch((cause: NodeJS.ErrnoException) => {
    const reason = reasons[cause.code ?? ''] ?? cause.code;
    throw unavailable(`cannot listen on ${host ?? ''}:${port}: ${reason}`, { cause });
  });
  // accepting can fail later, without file descriptors; that connection is lost, the server is not
  server.on('error', ({ message }) => {
    log('warn', 'a connection could not be accepted', { reason: message });
    refused?.('accept');
  });
}

const reasons: Record<string, string> = {
  EADDRINUSE: 'another program listens there',
  EACCES: 'not allowed (ports below 1024 need rights)',
  EADDRNOTAVAIL: 'this machine has no such address',
  ENOTFOUND: 'the name cannot be resolved',
};
