/** Faults of the sandbox Tiller on demand, and a record of what it was asked. */
import { once } from 'node:events';
import type { GatewayError } from '../../src/protocol/index.ts';
import type { Interceptor, SandboxCall } from '../../src/sandbox/index.ts';

interface Fault {
  readonly method: string;
  /** How many more calls it meets. */
  remaining: number;
  readonly apply: (call: SandboxCall) => void | Promise<void>;
}

/** How many calls are remembered; older ones are forgotten. */
const maxCalls = 10_000;

export class SandboxFaults {
  /** The calls so far, oldest first. `call.signal.aborted` tells of those that were cancelled. */
  readonly calls: SandboxCall[] = [];
  readonly #faults: Fault[] = [];
  readonly #waiting = new Set<() => void>();

  /** Give this to `startSandboxTiller`. */
  readonly intercept: Interceptor = async call => {
    this.calls.push(call);
    if (this.calls.length > maxCalls) this.calls.shift();
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
    for (const fault of this.#faults) {
      if (fault.remaining === 0 || (fault.method !== '*' && fault.method !== call.method)) continue;
      fault.remaining--;
      await fault.apply(call);
    }
  };

  /** Answers late; `*` = every method. */
  delay(method: string, delayMs: number, times = Number.POSITIVE_INFINITY): void {
    const apply = (): Promise<void> => new Promise(resolve => setTimeout(resolve, delayMs));
    this.#faults.push({ method, remaining: times, apply });
  }

  /** Does not answer before the caller has gone. */
  hang(method: string, times = Number.POSITIVE_INFINITY): void {
    const apply = async ({ signal }: SandboxCall): Promise<void> => {
      if (!signal.aborted) await once(signal, 'abort');
    };
    this.#faults.push({ method, remaining: times, apply });
  }

  /** Answers with the error; the method is not run. */
  fail(method: string, error: GatewayError, times = 1): void {
    const apply = (): void => {
      throw error;
    };
    this.#faults.push({ method, remaining: times, apply });
  }

  /** From now on nothing is wrong. */
  clear(): void {
    this.#faults.length = 0;
  }

  /** Waits until that many calls of the method have arrived, and gives the last of them. */
  async arrival(method: string, count = 1): Promise<SandboxCall> {
    for (;;) {
      const call = this.calls.filter(each => each.method === method)[count - 1];
      if (call) return call;
      await new Promise<void>(resolve => this.#waiting.add(resolve));
    }
  }
}
