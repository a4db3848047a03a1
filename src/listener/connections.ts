import type { Socket } from 'node:net';

/** What the protocols say of one connection's requests: between two of them it may be closed to make room. */
export interface Activity {
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
    socket.once('close', () => this.#remove(socket));
    let requests = 0;
    return {
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

  /** @returns how many were open */
  destroyAll(): number {
    const { size } = this.#open;
    for (const socket of this.#open) socket.destroy();
    return size;
  }

  #remove(socket: Socket): void {
    for (const set of [this.#open, this.#unproven, this.#idle]) set.delete(socket);
  }
}
