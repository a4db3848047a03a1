import { LRUCache } from 'lru-cache';
import type { Records, TillerCalls } from '../backends/index.ts';
import { abortReason, type CallContext, type Job, orAborted } from '../protocol/index.ts';
import { replyToJson as convert } from './swift-json.ts';

type Read = (tiller: TillerCalls, request: Uint8Array, context: CallContext) => Promise<Uint8Array>;

interface RunningRead {
  readonly answer: Promise<Uint8Array>;
  readonly lastLeft: AbortController;
  /** Of this Tiller, when the read began. */
  readonly writes: number;
  waiting: number;
}

/** A larger request runs by itself: its bytes are the key. */
const maxSharedBytes = 16 * 1024;

/**
 * Answers requests that are equal, byte for byte, by one call while it runs: Tiller allows itself 5 requests a second to
 * the API server, and each read costs one to three of them. A caller that leaves, or whose deadline passes, ends the
 * call only where nobody else waits for it. After a change through this gateway a new call begins, so that its caller
 * sees it.
 */
export function shareWhileRunning(read: Read): Read {
  const runningOf = new WeakMap<TillerCalls, Map<string, RunningRead>>();
  return async (tiller, request, context) => {
    if (context.signal.aborted) throw abortReason(context.signal); // nobody waits: no call
    // an answer that began before another gateway's write is not new enough for a client that asks for that
    if (
      request.length > maxSharedBytes ||
      context.consistency?.consistent ||
      context.consistency?.minRevisions.size
    )
      return read(tiller, request, context);
    const running = runningOf.get(tiller) ?? new Map<string, RunningRead>();
    runningOf.set(tiller, running);
    const key = Buffer.from(request).toString('latin1');
    let shared = running.get(key);
    if (!shared || shared.writes !== tiller.writes) {
      const lastLeft = new AbortController();
      const hold = context.hold?.separate();
      const answer = read(tiller, request, {
        ...context,
        signal: lastLeft.signal,
        deadline: undefined,
        hold,
      });
      const begun: RunningRead = { answer, lastLeft, writes: tiller.writes, waiting: 0 };
      const forget = () => {
        if (running.get(key) === begun) running.delete(key);
      };
      answer.then(forget, forget).finally(() => hold?.end());
      lastLeft.signal.addEventListener('abort', forget, { once: true });
      running.set(key, begun);
      shared = begun;
    }
    const { answer, lastLeft } = shared;
    shared.waiting++;
    try {
      return await orAborted(answer, context.signal);
    } finally {
      if (--shared.waiting === 0 && context.signal.aborted) lastLeft.abort(abortReason(context.signal));
    }
  };
}

/** Bounds on the answers that are kept of one cluster, and on each of them. */
const maxKept = 32;
const maxKeptBytes = 256 * 1024;
const maxRequestBytes = 4 * 1024;

interface KeptAnswer {
  readonly sequence: number;
  readonly answer: Buffer;
}

const listsOf = new WeakMap<Records, LRUCache<string, KeptAnswer>>();

/** Answers that are kept, each with its JSON once somebody has asked for that. */
const keptAnswers = new WeakMap<Uint8Array, { json?: Buffer }>();

/**
 * The answer to an equal request, byte for byte, as long as the records are the same: dashboards ask the same again and
 * again.
 */
export async function keptList(
  records: Records,
  request: Uint8Array,
  make: () => Promise<Buffer>,
): Promise<Buffer> {
  if (request.length > maxRequestBytes) return make();
  const lists = listsOf.get(records) ?? new LRUCache<string, KeptAnswer>({ max: maxKept });
  listsOf.set(records, lists);
  const key = Buffer.from(request).toString('latin1');
  const { sequence } = records;
  const known = lists.get(key);
  if (known?.sequence === sequence) return known.answer;
  const answer = await make();
  if (records.sequence === sequence && answer.length <= maxKeptBytes) {
    lists.set(key, { sequence, answer });
    keptAnswers.set(answer, {});
  }
  return answer;
}

/** As in `swift-json.ts`; the JSON of a kept answer is written once. */
export async function replyToJson(job: Job, type: string, reply: Uint8Array): Promise<Buffer> {
  const kept = keptAnswers.get(reply);
  if (kept?.json) return kept.json;
  const json = await convert(job, type, reply);
  if (kept) kept.json = json;
  return json;
}
