import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { encodeMessage } from '../codec/index.ts';
import { maxHereBytes } from '../protocol/index.ts';
import {
  checkMergedBytes,
  mergeReplies,
  mergeWhereItFits,
  type ReleaseQuery,
  readReleaseQuery,
  replyToLine,
} from './merge-releases.ts';

type Fields = Parameters<typeof encodeMessage<'appscode.swift.v2.SummarizeReleasesRequest'>>[1];

const read = (fields: Fields) =>
  readReleaseQuery(encodeMessage('appscode.swift.v2.SummarizeReleasesRequest', fields));

const about = { duration_ms: 1 };

interface Release {
  readonly cluster: string;
  readonly name: string;
  readonly deployed: string;
  readonly chart: string;
}

const release = (cluster: string, name: string, deployed: string, chart: string): Release => ({
  cluster,
  name,
  deployed,
  chart,
});

/** Replies of clusters, each with its releases, in the order in which they first come. */
function repliesOf(releases: readonly Release[]) {
  return Object.entries(Object.groupBy(releases, ({ cluster }) => cluster)).map(([cluster, own = []]) => ({
    cluster,
    about,
    reply: encodeMessage('appscode.swift.v2.SummarizeReleasesResponse', {
      total: own.length + 1,
      releases: own.map(({ name, deployed, chart }) => {
        const time = Date.parse(deployed.replace(/\.\d+/, ''));
        const nanos = Number((/\.(\d+)/.exec(deployed)?.[1] ?? '').padEnd(9, '0'));
        return {
          name,
          info: { last_deployed: { seconds: time / 1000, nanos } },
          chart_metadata: { name: chart },
        };
      }),
    }),
  }));
}

interface Merged {
  readonly count: string;
  readonly total: string;
  readonly releases: { readonly cluster: string; readonly name: string }[];
  readonly clusters: object[];
}

const mergedBy = (query: ReleaseQuery, releases: readonly Release[]) =>
  JSON.parse(mergeReplies(query, repliesOf(releases)).toString()) as Merged;

const names = ({ releases }: Merged) => releases.map(({ cluster, name }) => `${cluster}/${name}`);

describe('a list over clusters', () => {
  const all = [
    release('b', 'x', '2026-01-01T00:00:01.5Z', 'web'),
    release('a', 'x', '2026-01-01T00:00:01Z', 'db'),
    release('a', 'B', '2026-01-01T00:00:01.25Z', 'app'),
    release('b', 'a', '2026-01-01T00:00:02Z', 'web'),
  ];

  test('is sorted by name, by bytes, and then by cluster', () => {
    assert.deepEqual(names(mergedBy(read({}), all)), ['a/B', 'b/a', 'a/x', 'b/x']);
  });

  test('is sorted by time, whatever its digits, and by chart', () => {
    const by = (sort_by: 'LAST_RELEASED' | 'CHART_NAME') => names(mergedBy(read({ sort_by }), all));
    assert.deepEqual(by('LAST_RELEASED'), ['a/x', 'a/B', 'b/x', 'b/a']);
    assert.deepEqual(by('CHART_NAME'), ['a/B', 'a/x', 'b/a', 'b/x']);
  });

  test('is cut after it was sorted', () => {
    assert.deepEqual(names(mergedBy(read({ limit: 2, sort_order: 'DESC' }), all)), ['a/x', 'b/x']);
  });

  test('says how each cluster answered, and what stands in each release', () => {
    const error = { ok: false, error: { code: 14 } };
    const failed = { cluster: 'c', about: { ...error, ...about } };
    const merged = JSON.parse(mergeReplies(read({}), [...repliesOf(all.slice(0, 1)), failed]).toString());
    const one = {
      cluster: 'b',
      name: 'x',
      info: { last_deployed: '2026-01-01T00:00:01.500Z' },
      chart_metadata: { name: 'web' },
    };
    assert.deepEqual(merged, {
      count: '1',
      total: '2',
      releases: [one],
      clusters: [
        { cluster: 'b', ok: true, count: '1', total: '2', ...about },
        { cluster: 'c', ...error, ...about },
      ],
    });
    const lines = [...repliesOf(all.slice(0, 1)), failed].map(reply => replyToLine(reply).toString());
    assert.deepEqual(
      lines.map(line => JSON.parse(line)),
      [
        { cluster: 'b', ok: true, count: '1', total: '2', releases: [one], ...about },
        { cluster: 'c', ...error, ...about },
      ],
    );
    for (const line of lines) assert.equal(line.indexOf('\n'), line.length - 1);
  });

  test('is put together in a thread where it is large', async () => {
    const replies = repliesOf(all);
    const job = { what: 'the list', bytes: 0, signal: new AbortController().signal };
    const here = mergeWhereItFits(job, read({}), replies);
    assert.ok(here instanceof Buffer);
    const there = mergeWhereItFits({ ...job, bytes: maxHereBytes + 1 }, read({}), replies);
    assert.ok(there instanceof Promise);
    assert.deepEqual(await there, here);
  });

  test('is whole where nothing is in it', () => {
    const empty = { count: '0', total: '0', releases: [], clusters: [] };
    assert.deepEqual(JSON.parse(mergeReplies(read({}), []).toString()), empty);
    const nothing = { cluster: 'a', about, reply: Buffer.alloc(0) };
    assert.match(
      replyToLine(nothing).toString(),
      /"count":"0","total":"0","releases":\[\],"duration_ms":1}\n$/,
    );
  });

  test('does not depend on which cluster answered first', () => {
    const order = fc.shuffledSubarray(all, { minLength: all.length });
    fc.assert(
      fc.property(order, fc.constantFrom('NAME', 'LAST_RELEASED', 'CHART_NAME'), (shuffled, sortBy) => {
        const query = read({ sort_by: sortBy as 'NAME' });
        assert.deepEqual(mergedBy(query, shuffled).releases, mergedBy(query, all).releases);
      }),
      { numRuns: 100 },
    );
  });

  test('has no pages and no negative limit', () => {
    assert.throws(() => read({ offset: 'x' }), { code: 3, message: /^offset: / });
    assert.throws(() => read({ limit: -1 }), { code: 3, message: 'limit: -1 is negative' });
  });
});

test('lists that are too large for one answer are refused with what to do', () => {
  checkMergedBytes(64 * 1024 * 1024);
  assert.throws(() => checkMergedBytes(64 * 1024 * 1024 + 1), {
    code: 8,
    message: /too large for one answer \(65 MiB, of at most 64\): ask for a lower limit, .*x-ndjson/,
  });
});
