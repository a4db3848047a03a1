/** A rendering went over one of its bounds. `message` says which; templates cannot catch it. */
export class RenderLimitError extends Error {
  override readonly name = 'RenderLimitError';
}

/** The bounds of one rendering (a chart with its subcharts). Tiller has none of them but the size of its reply. */
export interface RenderLimits {
  /** Work: actions run, loop rounds, elements and bytes of text made by functions. Range: at least 1. */
  readonly maxWork: number;
  /** Bytes of rendered text, over all templates and what they include. */
  readonly maxOutputBytes: number;
  /** Templates within templates (`include`, `template`, `tpl`). */
  readonly maxDepth: number;
  /** Milliseconds from the first action on. */
  readonly maxTimeMs: number;
}

export const defaultRenderLimits: RenderLimits = {
  maxWork: 50_000_000,
  maxOutputBytes: 64 << 20,
  maxDepth: 500,
  maxTimeMs: 10_000,
};

/** How much work may pass between two looks at the clock. */
const clockInterval = 10_000;

/** Where work is counted before it is done. */
export type Work = Pick<RenderBudget, 'charge'>;

/** For what is done at most once, before a rendering or as it fails. */
export const uncounted: Work = { charge: () => undefined };

/** Counts what one rendering uses, and stops it at its bounds. */
export class RenderBudget {
  readonly #limits: RenderLimits;
  readonly #deadline: number;
  #work = 0;
  #nextClock = clockInterval;
  #outputBytes = 0;
  #depth = 0;

  constructor(limits: RenderLimits) {
    this.#limits = limits;
    this.#deadline = performance.now() + limits.maxTimeMs;
  }

  /** @throws RenderLimitError when the work or the time is used up */
  charge(amount: number): void {
    this.#work += amount;
    if (this.#work > this.#limits.maxWork) throw new RenderLimitError('rendering takes too much work');
    if (this.#work < this.#nextClock) return;
    this.#nextClock = this.#work + clockInterval;
    if (performance.now() > this.#deadline) throw new RenderLimitError('rendering takes too long');
  }

  /** Counts rendered text. @throws RenderLimitError when there is too much of it */
  output(bytes: number): void {
    this.#outputBytes += bytes;
    if (this.#outputBytes > this.#limits.maxOutputBytes) {
      throw new RenderLimitError(`rendered text is over ${this.#limits.maxOutputBytes} bytes`);
    }
  }

  /** Runs `body` one template deeper. @throws RenderLimitError when that is too deep */
  nested<T>(body: () => T): T {
    if (this.#depth >= this.#limits.maxDepth) {
      throw new RenderLimitError(`templates are nested more than ${this.#limits.maxDepth} deep`);
    }
    this.#depth++;
    try {
      return body();
    } finally {
      this.#depth--;
    }
  }
}
