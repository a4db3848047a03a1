import { LRUCache } from 'lru-cache';
import type { Records } from '../backends/index.ts';
import type { Job } from '../protocol/index.ts';
import { replyToJson as convert } from './swift-json.ts';

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
