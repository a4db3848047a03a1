import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import type { Connector } from '../../kubernetes/index.ts';
import {
  callScope,
  createSocketFolder,
  GatewayError,
  stepFailed,
  unavailable,
} from '../../protocol/index.ts';

/** One 0700 folder for the sockets of this process, removed with the last of them. */
const sockets = { folder: '', open: 0, made: 0 };

function takeSocketPath(): string {
  if (sockets.open++ === 0) {
    sockets.folder = createSocketFolder();
    process.once('exit', removeFolder);
  }
  return join(sockets.folder, `${++sockets.made}.sock`);
}

function dropSocketPath(): void {
  if (--sockets.open > 0) return;
  process.off('exit', removeFolder);
  removeFolder();
}

function removeFolder(): void {
  rmSync(sockets.folder, { recursive: true, force: true });
}

/** The stream that was opened last. */
interface LastStream {
  target: string;
  /** `host:port`: its host is what a certificate has to name. */
  authority: string;
  /** Why it could not be opened, if it could not. */
  failure?: GatewayError | undefined;
  /** Why it broke, if it said so. */
  lostReason?: string | undefined;
}

/**
 * Hands the streams of a connector, such as port-forward tunnels, to grpc-js, which connects to addresses only: each
 * connection to a private Unix socket is joined to a new stream to Tiller. Nothing listens on TCP.
 */
export class Bridge {
  readonly path: string;
  readonly last: LastStream;
  readonly #connector: Connector;
  readonly #connectTimeoutMs: number;
  readonly #server: Server;
  readonly #stopped = new AbortController();
  readonly #joined = new Set<Socket>();

  private constructor(connector: Connector, connectTimeoutMs: number) {
    this.#connector = connector;
    this.#connectTimeoutMs = connectTimeoutMs;
    this.last = { target: connector.description, authority: '' };
    this.path = takeSocketPath();
    this.#server = createServer(socket => void this.#join(socket)).unref();
  }

  /**
   * @param connectTimeoutMs bound on finding Tiller and opening one stream to it
   * @throws GatewayError where no Unix socket can be made
   */
  static async open(connector: Connector, connectTimeoutMs: number): Promise<Bridge> {
    try {
      const bridge = new Bridge(connector, connectTimeoutMs);
      bridge.#server.listen(bridge.path);
      await once(bridge.#server, 'listening');
      return bridge;
    } catch (cause) {
      const what = cause instanceof Error ? cause.message : String(cause);
      throw stepFailed('making a private socket in the temporary folder', what, { cause });
    }
  }

  /** No new streams; those that are open stay. */
  close(): void {
    if (this.#stopped.signal.aborted) return;
    this.#stopped.abort(unavailable('the gateway is stopping'));
    this.#server.close();
    dropSocketPath();
  }

  /** Ends open streams too. */
  destroy(): void {
    this.close();
    for (const socket of this.#joined) socket.destroy();
  }

  /** The owner of both ends: each is destroyed with the other. */
  async #join(socket: Socket): Promise<void> {
    this.#joined.add(socket);
    socket.on('error', () => {}).once('close', () => this.#joined.delete(socket));
    try {
      const { stream, authority, target } = await this.#connect();
      Object.assign(this.last, { authority, target, failure: undefined, lostReason: undefined });
      stream.on('error', error => {
        this.last.lostReason = error.message;
      });
      // what Tiller sent last has to arrive before the end does
      stream.once('close', () => socket.destroySoon());
      socket.once('close', () => stream.destroy());
      if (socket.destroyed) stream.destroy();
      else socket.pipe(stream).pipe(socket);
    } catch (error) {
      this.last.failure = GatewayError.from(error);
      socket.destroy();
    }
  }

  async #connect() {
    const timeoutMs = this.#connectTimeoutMs;
    const late = () => unavailable(`Tiller was not reached within ${timeoutMs / 1000} s`);
    const scope = callScope({ signal: this.#stopped.signal, timeoutMs, late });
    try {
      return await this.#connector.connect(scope.signal);
    } catch (error) {
      throw scope.signal.aborted ? scope.signal.reason : error;
    } finally {
      scope.end();
    }
  }
}
