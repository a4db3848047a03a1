import { Code } from './code.ts';
import { GatewayError } from './gateway-error.ts';

/** Held by every request without being counted, so that small ones pass while large ones fill the budget. */
const freeBytes = 16 * 1024;

/**
 * The bytes of all requests together that wait in memory: bodies that arrive, and answers that are not sent yet. Bounds
 * on each body and answer say nothing of their sum.
 */
export class Budget {
  readonly maxBytes: number;
  #used = 0;

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
  }

  get used(): number {
    return this.#used;
  }

  /** What one request holds. @param owner its stream, with whose close all of it is free again */
  open(owner: { once(event: 'close', listener: () => void): unknown }): Holder {
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
    owner.once('close', () => {
      isOver = true;
      this.#used -= counted;
      counted = 0;
    });
    // bodies alone cannot fill it: whoever stalls uploads does not keep others from reading
    return {
      body: bytes => hold(bytes, 1 / 2),
      answer: bytes => hold(bytes, 1),
      work: bytes => hold(bytes, Number.POSITIVE_INFINITY),
      sent: bytes => {
        held -= bytes;
        const less = counted - Math.max(0, held - freeBytes);
        if (isOver || less <= 0) return;
        this.#used -= less;
        counted -= less;
      },
    };
  }
}

/** Counts bytes of one request. The first two throw GatewayError UNAVAILABLE with reason OVERLOADED past the budget. */
export interface Holder {
  body(bytes: number): void;
  answer(bytes: number): void;
  /** What a thread holds while it works. It is never refused: the number of threads bounds it. */
  work(bytes: number): void;
  /** Bytes are let go: a part of the answer has left, or a thread is done. */
  sent(bytes: number): void;
}

function overloaded(maxBytes: number): GatewayError {
  return new GatewayError(
    Code.UNAVAILABLE,
    `the requests in progress take up ${maxBytes} bytes (--in-flight-limit): try again later`,
    { reason: 'OVERLOADED' },
  );
}
