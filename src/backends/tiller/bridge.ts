import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import type { Connector } from '../../kubernetes/index.ts';
import { createSocketFolder, GatewayError, stepFailed, unavailable } from '../../protocol/index.ts';

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

/**
 * Hands the streams of a connector, such as port-forward tunnels, to grpc-js, which connects to addresses only: each
 * connection to a private Unix socket is joined to a new stream to Tiller. Nothing listens on TCP.
 */
export class Bridge {
  readonly path: string;
  readonly #connector: Connector;
  readonly #connectTimeoutMs: number;
  readonly #server: Server;
  readonly #stopped = new AbortController();
  readonly #joined = new Set<Socket>();
  #target: string;
  #authority = '';
  #failure: GatewayError | undefined;
  #lostReason: string | undefined;

  private constructor(connector: Connector, connectTimeoutMs: number) {
    this.#connector = connector;
    this.#connectTimeoutMs = connectTimeoutMs;
    this.#target = connector.description;
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

  /** Where the last stream leads. */
  get target(): string {
    return this.#target;
  }

  /** `host:port` that the last stream leads to: its host is what a certificate has to name. */
  get authority(): string {
    return this.#authority;
  }

  /** Why the last stream could not be opened, if it could not. */
  get failure(): GatewayError | undefined {
    return this.#failure;
  }

  /** Why the last stream broke, if it said so. */
  get lostReason(): string | undefined {
    return this.#lostReason;
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
      this.#failure = undefined;
      this.#lostReason = undefined;
      this.#authority = authority;
      this.#target = target;
      stream.on('error', error => {
        this.#lostReason = error.message;
      });
      // what Tiller sent last has to arrive before the end does
      stream.once('close', () => socket.destroySoon());
      socket.once('close', () => stream.destroy());
      if (socket.destroyed) stream.destroy();
      else socket.pipe(stream).pipe(socket);
    } catch (error) {
      this.#failure = GatewayError.from(error);
      socket.destroy();
    }
  }

  async #connect() {
    const timeout = new AbortController();
    const seconds = this.#connectTimeoutMs / 1000;
    const timer = setTimeout(
      () => timeout.abort(unavailable(`Tiller was not reached within ${seconds} s`)),
      this.#connectTimeoutMs,
    );
    try {
      return await this.#connector.connect(AbortSignal.any([timeout.signal, this.#stopped.signal]));
    } catch (error) {
      throw timeout.signal.aborted ? timeout.signal.reason : error;
    } finally {
      clearTimeout(timer);
    }
  }
}
