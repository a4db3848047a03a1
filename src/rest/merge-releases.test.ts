import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { encodeMessage } from '../codec/index.ts';
import { readReleaseQuery } from './merge-releases.ts';

type Fields = Parameters<typeof encodeMessage<'appscode.swift.v2.SummarizeReleasesRequest'>>[1];

const read = (fields: Fields) =>
  readReleaseQuery(encodeMessage('appscode.swift.v2.SummarizeReleasesRequest', fields));

const release = (cluster: string, name: string, deployed = '2026-01-01T00:00:00Z', chart = 'c') => ({
  cluster,
  name,
  info: { last_deployed: deployed },
  chart_metadata: { name: chart },
});

const names = (list: { cluster: string; name?: string }[]) =>
  list.map(({ cluster, name }) => `${cluster}/${name}`);

describe('a list over clusters', () => {
  const all = [
    release('b', 'x', '2026-01-01T00:00:01.5Z', 'web'),
    release('a', 'x', '2026-01-01T00:00:01Z', 'db'),
    release('a', 'B', '2026-01-01T00:00:01.25Z', 'app'),
    release('b', 'a', '2026-01-01T00:00:02Z', 'web'),
  ];

  test('is sorted by name, by bytes, and then by cluster', () => {
    assert.deepEqual(names(read({}).merge([...all])), ['a/B', 'b/a', 'a/x', 'b/x']);
  });

  test('is sorted by time, whatever its digits, and by chart', () => {
    assert.deepEqual(names(read({ sort_by: 'LAST_RELEASED' }).merge([...all])), ['a/x', 'a/B', 'b/x', 'b/a']);
    assert.deepEqual(names(read({ sort_by: 'CHART_NAME' }).merge([...all])), ['a/B', 'a/x', 'b/a', 'b/x']);
  });

  test('is cut after it was sorted', () => {
    assert.deepEqual(names(read({ limit: 2, sort_order: 'DESC' }).merge([...all])), ['a/x', 'b/x']);
  });

  test('does not depend on which cluster answered first', () => {
    const order = fc.shuffledSubarray(all, { minLength: all.length });
    fc.assert(
      fc.property(order, fc.constantFrom('NAME', 'LAST_RELEASED', 'CHART_NAME'), (shuffled, sortBy) => {
        const query = read({ sort_by: sortBy as 'NAME' });
        assert.deepEqual(query.merge(shuffled), query.merge([...all]));
      }),
      { numRuns: 100 },
    );
  });

  test('has no pages and no negative limit', () => {
    assert.throws(() => read({ offset: 'x' }), { code: 3, message: /^offset: / });
    assert.throws(() => read({ limit: -1 }), { code: 3, message: 'limit: -1 is negative' });
  });
});
