import type { Socket } from 'node:net';

/** What the protocols say of one connection's requests: between two of them it may be closed to make room. */
export interface Activity {
  /** The protocol is known, whose server ends the connection from now on. */
  decided(): void;
  /** The head of a request is complete. */
  began(): void;
  /** That request is over. */
  ended(): void;
}

/**
 * The open connections of all addresses, at most `max`. When they are that many, a further one takes the place of one
 * that asks for nothing: of those whose first request has no complete head yet the oldest one, which anybody can open
 * by the thousand; else the one that has been idle for longest since its last answer.
 */
export class Connections {
  readonly #max: number;
  readonly #open = new Set<Socket>();
  /** Both in the order in which they are to be closed. */
  readonly #unproven = new Set<Socket>();
  readonly #idle = new Set<Socket>();
  /** Without a protocol, each with the bytes that had come of it when it was last looked at. */
  readonly #undecided = new Map<Socket, number>();

  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#open.size;
  }

  get isFull(): boolean {
    return this.#open.size >= this.#max;
  }

  /** Closes a connection for a new one. @returns false where all of them are busy */
  makeRoom(): boolean {
    const [victim = this.#idle.values().next().value] = this.#unproven;
    if (!victim) return false;
    this.#remove(victim);
    victim.destroy();
    return true;
  }

  add(socket: Socket): Activity {
    this.#open.add(socket);
    this.#unproven.add(socket);
    this.#undecided.set(socket, 0);
    socket.once('close', () => this.#remove(socket));
    let requests = 0;
    return {
      decided: () => this.#undecided.delete(socket),
      began: () => {
        requests++;
        this.#unproven.delete(socket);
        this.#idle.delete(socket);
      },
      ended: () => {
        if (--requests === 0 && this.#open.has(socket)) this.#idle.add(socket);
      },
    };
  }

  /** Closes those that have sent nothing, or no more since the last call, by which their protocol could be known. */
  closeUndecided(): void {
    for (const [socket, bytesBefore] of this.#undecided) {
      if (socket.bytesRead === bytesBefore) socket.destroy();
      else this.#undecided.set(socket, socket.bytesRead);
    }
  }

  /** @returns how many were open */
  destroyAll(): number {
    const { size } = this.#open;
    for (const socket of this.#open) socket.destroy();
    return size;
  }

  #remove(socket: Socket): void {
    for (const set of [this.#open, this.#unproven, this.#idle, this.#undecided]) set.delete(socket);
  }
}
