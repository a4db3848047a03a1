import type { TillerCalls } from '../backends/index.ts';
import type { CallContext } from '../protocol/index.ts';
import type { Upstream } from './upstreams/upstream.ts';

/** Holds its upstream open, opened if need be, for the time of some work. */
interface Holder {
  use<T>(signal: AbortSignal, work: (upstream: Upstream) => Promise<T>): Promise<T>;
  useStream<T>(signal: AbortSignal, work: (upstream: Upstream) => AsyncGenerator<T>): AsyncGenerator<T>;
}

/** A cluster's Tiller: each call opens the cluster if need be, and holds it open. */
export class TillerOnDemand implements TillerCalls {
  readonly #cluster: Holder;
  #last: TillerCalls | undefined;
  /** Of Tillers that were replaced by the one in use. */
  #earlierWrites = 0;

  constructor(cluster: Holder) {
    this.#cluster = cluster;
  }

  get writes(): number {
    return this.#earlierWrites + (this.#last?.writes ?? 0);
  }

  unary(...call: Parameters<TillerCalls['unary']>): Promise<Buffer> {
    return this.#cluster.use(call[2].signal, upstream => this.#tillerOf(upstream).unary(...call));
  }

  stream(...call: Parameters<TillerCalls['stream']>): AsyncGenerator<Buffer> {
    return this.#open(call[2], tiller => tiller.stream(...call));
  }

  pass(...call: Parameters<TillerCalls['pass']>): AsyncGenerator<Buffer> {
    return this.#open(call[3], tiller => tiller.pass(...call));
  }

  #open(
    { signal }: CallContext,
    call: (tiller: TillerCalls) => AsyncGenerator<Buffer>,
  ): AsyncGenerator<Buffer> {
    return this.#cluster.useStream(signal, upstream => call(this.#tillerOf(upstream)));
  }

  #tillerOf({ backend }: Upstream): TillerCalls {
    if (backend.kind !== 'tiller') throw new Error(`the backend is ${backend.kind}`);
    if (this.#last !== backend.tiller) {
      if (this.#last) this.#earlierWrites = this.writes + 1; // calls of the one before may still end
      this.#last = backend.tiller;
    }
    return backend.tiller;
  }
}
