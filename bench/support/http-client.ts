import { connect, type Socket } from 'node:net';

/**
 * A client that costs next to nothing, so that the gateway is what is measured: one connection, one request after the
 * other, the answer's length read from its header.
 */
export class HttpConnection {
  readonly #port: number;
  #socket: Socket | undefined;
  #waiting: { resolve: (bytes: number) => void; reject: (error: Error) => void } | undefined;
  #head: Buffer = Buffer.alloc(0);
  #missing = 0;
  #total = 0;

  constructor(port: number) {
    this.#port = port;
  }

  /** The bytes of the answer's body. Connects where the gateway has closed the connection, as it does when it idles. */
  get(path: string): Promise<number> {
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    this.#waiting = { resolve, reject };
    if (!this.#socket?.writable) this.#socket = this.#connect();
    this.#socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    return promise;
  }

  close(): void {
    this.#socket?.destroy();
  }

  #connect(): Socket {
    const socket = connect({ port: this.#port, host: '127.0.0.1', noDelay: true });
    const fail = (error: Error) => {
      if (socket === this.#socket) this.#waiting?.reject(error);
    };
    socket.on('data', chunk => this.#take(chunk));
    socket.on('error', fail);
    socket.on('close', () => fail(new Error('the gateway has closed the connection')));
    return socket;
  }

  #take(chunk: Buffer): void {
    if (this.#missing > 0) {
      this.#missing -= chunk.length;
    } else {
      this.#head = this.#head.length > 0 ? Buffer.concat([this.#head, chunk]) : chunk;
      const end = this.#head.indexOf('\r\n\r\n');
      if (end < 0) return;
      const head = this.#head.toString('latin1', 0, end);
      if (!head.startsWith('HTTP/1.1 200')) {
        this.#waiting?.reject(new Error(head));
        return;
      }
      this.#total = Number(/content-length: (\d+)/i.exec(head)?.[1]);
      this.#missing = this.#total - (this.#head.length - end - 4);
      this.#head = Buffer.alloc(0);
    }
    if (this.#missing === 0) this.#waiting?.resolve(this.#total);
  }
}
