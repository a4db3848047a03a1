import { setTimeout as wait } from 'node:timers/promises';
import type { Backend, Cluster } from '../clusters/index.ts';
import { errorBody } from '../http/index.ts';
import { type CallContext, Code, callScope, GatewayError, unavailable } from '../protocol/index.ts';
import type { ReleaseMethod } from '../releases/index.ts';
import { LiveEvent, readEvent } from './answer-stream.ts';

export interface WatchAllOptions {
  readonly method: Extract<ReleaseMethod, { kind: 'streaming' }>;
  /** The request for a cluster, which goes on behind the event of this id; empty: from the start. */
  readonly requestAfter: (id: string) => Uint8Array;
  /** Id of the last event that the client has seen. */
  readonly lastId: string;
  /** After this time without an event comes a heartbeat. */
  readonly heartbeatMs: number;
  /** Fires when the gateway begins to stop. */
  readonly stopping: AbortSignal;
}

/** A longer id would not come back: servers bound the headers of a request. */
const maxIdChars = 6_000;

/** The pauses before a cluster that failed is asked again: doubled each time. */
const [minPauseMs, maxPauseMs] = [1_000, 30_000];

/**
 * The changes of many clusters as one stream. Each event names its cluster and has an id that stands for all. A cluster
 * that fails is an event of its own (`FAILED`) and is asked again until it answers (`RECOVERED`); the others go on.
 * @throws GatewayError when the client is too slow, has gone, or the gateway stops
 */
export async function* watchAll(
  clusters: readonly Cluster[],
  options: WatchAllOptions,
  client: CallContext,
): AsyncGenerator<LiveEvent, void, undefined> {
  const positions = readPositions(options.lastId, clusters);
  const queue = new HandOver();
  const over = new AbortController();
  // the clusters' streams end at once, even where nobody asks this one for another event
  const end = (error: GatewayError) => {
    over.abort(error);
    queue.fail(error);
  };
  const leave = () => end(GatewayError.from(client.signal.reason));
  const stop = () => end(unavailable('the gateway is stopping: watch again', { reason: 'STOPPING' }));
  client.signal.addEventListener('abort', leave, { once: true });
  options.stopping.addEventListener('abort', stop, { once: true });
  if (client.signal.aborted) leave();
  if (options.stopping.aborted) stop();
  for (const cluster of clusters)
    void watchOne(cluster, options, { ...client, signal: over.signal }, positions, queue);
  try {
    yield toEvent('HEARTBEAT', {}, positions);
    for (;;) {
      const event = await queue.take(options.heartbeatMs);
      if (!event) {
        yield toEvent('HEARTBEAT', {}, positions);
        continue;
      }
      const { cluster, id, type, fields } = event;
      if (id !== '') positions.set(cluster, id);
      yield toEvent(type, { cluster, ...fields }, id === '' ? undefined : positions);
    }
  } finally {
    // clusters' streams wait for their events to be taken, and would never end
    end(new GatewayError(Code.CANCELLED, 'the stream is over'));
    client.signal.removeEventListener('abort', leave);
    options.stopping.removeEventListener('abort', stop);
  }
}

interface ClusterEvent {
  readonly cluster: string;
  readonly type: string;
  /** That of the cluster alone. */
  readonly id: string;
  readonly fields: object;
}

/** Watches a cluster until the context ends, over any number of failures. Never rejects. */
async function watchOne(
  cluster: Cluster,
  { method, requestAfter }: WatchAllOptions,
  context: CallContext,
  positions: Map<string, string>,
  queue: HandOver,
): Promise<void> {
  const { name } = cluster;
  let pauseMs = minPauseMs;
  let failure: string | undefined;
  const send = (type: string, fields: object, id = '') => queue.put({ cluster: name, type, id, fields });
  while (!context.signal.aborted) {
    // what ends the cluster's stream does not end the others, unless it is the client that takes too little of all
    const scope = callScope({ signal: context.signal });
    const abort = (reason: Error) => {
      scope.abort(reason);
      if (reason instanceof GatewayError && reason.reason === 'SLOW_CLIENT') context.abort?.(reason);
    };
    const own = { ...context, signal: scope.signal, abort };
    try {
      const relay = async (backend: Backend) => {
        const request = requestAfter(positions.get(name) ?? '');
        for await (const wire of method.call(backend, request, own)) {
          pauseMs = minPauseMs;
          if (failure !== undefined) await send('RECOVERED', {});
          failure = undefined;
          const event = readEvent(wire);
          const {
            type: _type,
            id: _id,
            ...fields
          } = JSON.parse(event.json.toString()) as Record<string, string>;
          // the stream of all has heartbeats of its own; of a cluster's, its place counts
          if (event.type === 'HEARTBEAT') positions.set(name, event.id);
          else await send(event.type, fields, event.id);
        }
      };
      await cluster.withBackend(own.signal, relay, true);
    } catch (thrown) {
      if (context.signal.aborted) return;
      const error = GatewayError.from(thrown);
      if (error.reason === 'SLOW_CLIENT') return queue.fail(error);
      if (failure !== error.message) await send('FAILED', { error: errorBody(error) });
      failure = error.message;
    } finally {
      scope.end();
    }
    await wait(pauseMs * (0.75 + Math.random() / 2), undefined, { signal: context.signal, ref: false }).catch(
      () => {},
    );
    pauseMs = Math.min(pauseMs * 2, maxPauseMs);
  }
}

/** Hands events of several makers to one taker: each maker waits until its event was taken. */
class HandOver {
  readonly #waiting: { readonly event: ClusterEvent; readonly taken: () => void }[] = [];
  #error: GatewayError | undefined;
  #wake = () => {};

  put(event: ClusterEvent): Promise<void> {
    if (this.#error) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.push({ event, taken: resolve });
    this.#wake();
    return promise;
  }

  /** The makers are let go, and the taker gets the error. */
  fail(error: GatewayError): void {
    this.#error ??= error;
    for (const { taken } of this.#waiting.splice(0)) taken();
    this.#wake();
  }

  /** @returns undefined when nothing came in time. @throws GatewayError of `fail` */
  async take(timeoutMs: number): Promise<ClusterEvent | undefined> {
    if (!this.#error && this.#waiting.length === 0) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, timeoutMs).unref();
      this.#wake = resolve;
      await promise;
      clearTimeout(timer);
    }
    if (this.#error) throw this.#error;
    const next = this.#waiting.shift();
    next?.taken();
    return next?.event;
  }
}

/** @param positions those of all clusters, where the event can be resumed from */
function toEvent(type: string, fields: object, positions?: ReadonlyMap<string, string>): LiveEvent {
  const id = positions ? writePositions(positions) : '';
  const json = JSON.stringify({ type, ...fields, ...(id !== '' && { id }) });
  return new LiveEvent(type, id, Buffer.from(json));
}

function writePositions(positions: ReadonlyMap<string, string>): string {
  if (positions.size === 0) return '';
  const id = Buffer.from(JSON.stringify(Object.fromEntries(positions))).toString('base64url');
  return id.length <= maxIdChars ? id : '';
}

/** A cluster that the id says nothing of begins anew, with a reset, since nobody knows what the client has seen of it. */
function readPositions(id: string, clusters: readonly Cluster[]): Map<string, string> {
  if (id === '') return new Map();
  const unknown = clusters.map(({ name }): [string, string] => [name, 'unknown']);
  try {
    const read = JSON.parse(Buffer.from(id, 'base64url').toString()) as object;
    const known = unknown.map(([name]) => [name, (read as Record<string, unknown>)[name]]);
    const texts = known.filter((entry): entry is [string, string] => typeof entry[1] === 'string');
    return new Map([...unknown, ...texts]);
  } catch {
    return new Map(unknown);
  }
}
