import { type GatewayError, unavailable } from './gateway-error.ts';

/** Held by every request without being counted, so that small ones pass while large ones fill the budget. */
const freeBytes = 16 * 1024;

/**
 * The bytes of all requests together that wait in memory: bodies that arrive, and answers that are not sent yet. Bounds
 * on each body and answer say nothing of their sum. What threads hold is shown, but refuses nobody: the number of
 * threads bounds it, and two large replies in work would keep everybody else from theirs.
 */
export class Budget {
  readonly maxBytes: number;
  #used = 0;
  #inThreads = 0;

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
  }

  get used(): number {
    return this.#used + this.#inThreads;
  }

  /** What one request holds. @param owner its stream, with whose close all of it is free again */
  open(owner: { once(event: 'close', listener: () => void): unknown }): Holder {
    const holder = this.#hold();
    owner.once('close', holder.end);
    return holder;
  }

  #hold(): SeparateHolder {
    let held = 0;
    let counted = 0;
    let isOver = false;
    const hold = (bytes: number, share: number): void => {
      held += bytes;
      const more = Math.max(0, held - freeBytes) - counted;
      if (isOver || more <= 0) return;
      // one alone may pass the budget: it is bounded by its own limit
      const others = this.#used - counted;
      if (others > 0 && this.#used + more > this.maxBytes * share) {
        held -= bytes;
        throw overloaded(this.maxBytes);
      }
      this.#used += more;
      counted += more;
    };
    // bodies alone cannot fill it: whoever stalls uploads does not keep others from reading
    return {
      body: bytes => hold(bytes, 1 / 2),
      answer: bytes => hold(bytes, 1),
      work: bytes => {
        this.#inThreads += bytes;
        return () => {
          this.#inThreads -= bytes;
        };
      },
      sent: bytes => {
        held -= bytes;
        const less = counted - Math.max(0, held - freeBytes);
        if (isOver || less <= 0) return;
        this.#used -= less;
        counted -= less;
      },
      separate: () => this.#hold(),
      end: () => {
        isOver = true;
        this.#used -= counted;
        counted = 0;
      },
    };
  }
}

/** Counts bytes of one request. The first two throw GatewayError UNAVAILABLE with reason OVERLOADED past the budget. */
export interface Holder {
  body(bytes: number): void;
  answer(bytes: number): void;
  /** What a thread holds while it works. @returns what is to be called when it is done */
  work(bytes: number): () => void;
  /** Bytes are let go: a part of the answer has left, or a reply is translated. */
  sent(bytes: number): void;
  /** For work that this request begins and others may wait for, so that it can outlive its request. */
  separate(): SeparateHolder;
}

export interface SeparateHolder extends Holder {
  /** All of it is free again, and nothing is counted any more. */
  end(): void;
}

function overloaded(maxBytes: number): GatewayError {
  return unavailable(
    `the requests in progress take up ${maxBytes} bytes (--in-flight-limit): try again later`,
    { reason: 'OVERLOADED' },
  );
}
