import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { encodeMessage, type Partially, type Release, type SwiftReleaseSummary } from '../../codec/index.ts';
import { optionTables } from './read-options.ts';
import { historyToData, listToData, type Part, partToData } from './reply-data.ts';

const none = Object.fromEntries(
  Object.entries(optionTables.releaseListOptions).map(([name, kind]) => [
    name,
    kind === 'bool' ? false : kind === 'int' ? 0 : '',
  ]),
) as Parameters<typeof listToData>[1];

const at = (seconds: number, code = 'DEPLOYED') => ({
  last_deployed: { seconds, nanos: 0 },
  status: { code: code as 'DEPLOYED' },
});
const revisions: Partially<SwiftReleaseSummary>[] = [
  { name: 'b', namespace: 'n', version: 1, info: at(3, 'SUPERSEDED') },
  { name: 'b', namespace: 'n', version: 2, info: at(9, 'FAILED') },
  { name: 'a', namespace: 'n', version: 1, info: at(5) },
  { name: 'a', namespace: 'm', version: 4, info: at(7, 'PENDING_UPGRADE') },
  { name: 'B', namespace: 'n', version: 1, info: at(1, 'DELETED') },
];
const list = (options: Partial<typeof none> = {}) => {
  const reply = encodeMessage('appscode.swift.v2.SummarizeReleasesResponse', { releases: revisions });
  const rows = JSON.parse(listToData(reply, { ...none, ...options }).toString());
  return rows.map(
    (row: Record<string, string>) => `${row.namespace}/${row.name} ${row.revision} ${row.status}`,
  );
};

describe('the list', () => {
  const [a, pending, failed, gone] = [
    'n/a 1 deployed',
    'm/a 4 pending-upgrade',
    'n/b 2 failed',
    'n/B 1 uninstalled',
  ];
  for (const [name, options, expected] of [
    ['latest revisions, deployed or failed', {}, [a, failed]],
    ['all, by name', { all: true }, [gone, pending, a, failed]],
    ['backwards', { all: true, sort_reverse: true }, [failed, a, pending, gone]],
    ['by date', { all: true, by_date: true }, [gone, a, pending, failed]],
    ['named states', { pending: true, uninstalled: true }, [gone, pending]],
    ['superseded alone is of every revision', { superseded: true }, ['n/b 1 superseded']],
    ['superseded with others', { superseded: true, failed: true }, [failed]],
    ['a page', { all: true, limit: 2, offset: 1 }, [pending, a]],
  ] as const) {
    test(name, () => assert.deepEqual(list(options), expected));
  }
});

const part = (release: Partially<Release>, name: Part) => {
  const reply = encodeMessage('appscode.swift.v2.GetReleaseContentResponse', { release });
  return partToData(reply, name)?.toString();
};

describe('parts', () => {
  test('values', () => {
    assert.equal(part({ config: { raw: 'b: 1\na: [x]\n' } }, 'values'), '{"a":["x"],"b":1}');
    assert.equal(part({ config: { raw: 'b: 1\na: [x]\n' } }, 'yaml'), '"a:\\n- x\\nb: 1\\n"');
    for (const raw of ['', '{}', '{}\n', '# nothing\n']) {
      assert.equal(part({ config: { raw } }, 'values'), undefined, raw);
      assert.equal(part({ config: { raw } }, 'yaml'), '"null\\n"', raw);
    }
    assert.equal(part({}, 'values'), undefined);
  });

  test('hooks', () => {
    const hook: Partially<Release['hooks'][number]> = {
      name: 'check',
      kind: 'Job',
      path: 'web/templates/check.yaml',
      manifest: 'kind: Job',
      events: ['PRE_INSTALL', 'RELEASE_TEST_SUCCESS'],
      weight: -1,
      delete_policies: ['BEFORE_HOOK_CREATION', 'SUCCEEDED'],
      last_run: { seconds: 1_795_706_407, nanos: 0 },
    };
    assert.deepEqual(JSON.parse(part({ hooks: [hook, { name: 'new', weight: 0 }] }, 'hooks')!), [
      {
        name: 'check',
        kind: 'Job',
        path: 'web/templates/check.yaml',
        manifest: 'kind: Job',
        events: ['pre-install', 'test'],
        last_run: { started_at: '', completed_at: '2026-11-26T15:20:07Z', phase: 'Succeeded' },
        weight: -1,
        delete_policies: ['before-hook-creation', 'hook-succeeded'],
      },
      { name: 'new', last_run: { started_at: '', completed_at: '', phase: '' } },
    ]);
  });

  test('a release that says little', () => {
    const element = { name: 'a', namespace: 'n', revision: '1', updated: '-', status: 'unknown' };
    assert.deepEqual(JSON.parse(part({ name: 'a', namespace: 'n', version: 1 }, 'status')!), {
      ...element,
      chart: '',
      chart_version: '',
      app_version: '',
    });
    assert.equal(part({}, 'notes'), '""');
  });
});

test('a revision without a chart', () => {
  const reply = encodeMessage('appscode.swift.v2.GetHistoryResponse', { releases: [{ version: 1 }] });
  assert.deepEqual(JSON.parse(historyToData(reply).toString()), [
    {
      revision: 1,
      updated: '',
      status: 'unknown',
      chart: 'MISSING',
      app_version: 'MISSING',
      description: '',
    },
  ]);
});
