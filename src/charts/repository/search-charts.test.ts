import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { parseArgs } from 'node:util';
import { packIndex } from './read-index.ts';
import { RepositoryIndex } from './repository-index.ts';
import { searchCharts } from './search-charts.ts';

const folder = new URL('../../../test/conformance/search/', import.meta.url);
const { signal } = new AbortController();
const read = (data: Buffer, repository: string) =>
  new RepositoryIndex(packIndex(data, { where: 'index.yaml', repository }));
const index = read(readFileSync(new URL('index.yaml', folder)), 'try');

interface Recorded {
  readonly tool: string;
  readonly args: readonly string[];
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const recorded = readFileSync(new URL('helm.jsonl', folder), 'utf8')
  .trimEnd()
  .split('\n')
  .map(line => JSON.parse(line) as Recorded);

async function search({ tool, args }: Recorded): Promise<string[]> {
  const options = {
    output: { type: 'string', short: 'o' },
    version: { type: 'string', short: 'v' },
    versions: { type: 'boolean', short: 'l' },
    regexp: { type: 'boolean', short: 'r' },
    devel: { type: 'boolean' },
  } as const;
  const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
  const helm3 = tool.startsWith('helm 3');
  const hits = await searchCharts(
    new Map([['try', index]]),
    {
      query: positionals.slice(helm3 ? 2 : 1).join(' '),
      regexp: values.regexp ?? false,
      version: values.version ?? (helm3 && values.devel ? '>0.0.0-0' : ''),
      all_versions: values.versions ?? false,
      helm3,
    },
    signal,
  );
  const lines = [...hits.from(0, hits.total)];
  return lines.map(({ repo, name, version, app_version, description }) =>
    JSON.stringify([`${repo}/${name}`, version, app_version, description]),
  );
}

/** What was printed, each line whole. */
function printed({ stdout }: Recorded): string[] {
  const lines = (stdout.trim() === '' ? [] : (JSON.parse(stdout) ?? [])) as Record<string, string>[];
  return lines.map(line =>
    JSON.stringify(
      line.Name === undefined
        ? [line.name, line.version, line.app_version, line.description]
        : [line.Name, line.Version, line.AppVersion, line.Description],
    ),
  );
}

describe('what the Helm clients printed', () => {
  for (const line of recorded) {
    test(`${line.tool}: ${line.args.join(' ')}`, async () => {
      if (line.code !== 0) return assert.rejects(search(line), { name: 'GatewayError', code: 3 });
      // Helm 2 prints names that were searched for in small letters; here they stay what a chart_url has to say
      const shown = (text: string) =>
        line.tool.includes(' 2.') ? text.replace('try/Queue-Manager', 'try/queue-manager') : text;
      assert.deepEqual((await search(line)).map(shown), printed(line).map(shown));
    });
  }
  test('all of them', () => assert.equal(recorded.length, 78));
});

const entry = (name: string, version: string, more = '') =>
  `  - {name: ${name}, version: ${version}, urls: [${name}-${version}.tgz]${more}}\n`;
const own = read(
  Buffer.from(
    `apiVersion: v1\nentries:\n  beta:\n${entry('beta', '2.0.0', ', description: "of gamma"')}${entry('beta', '1.0.0', ', keywords: [gamma, Ünï]')}  Alpha:\n${entry('Alpha', '1.0.0')}  gamma:\n${entry('gamma', '1.0.0-rc.1')}`,
  ),
  'b',
);
const other = read(
  Buffer.from(
    `apiVersion: v1\nentries:\n  zeta:\n${entry('zeta', '1.0.0')}  gamma-2:\n${entry('gamma-2', '0.1.0')}`,
  ),
  'a',
);
const both = new Map([
  ['b', own],
  ['a', other],
]);
const all = { query: '', version: '>0.0.0-0', all_versions: true };
const keys = async (query: Partial<Parameters<typeof searchCharts>[1]>, page = {}) => {
  const { charts } = (await searchCharts(both, { ...all, ...query }, signal)).page({
    limit: 0,
    offset: '',
    ...page,
  });
  return charts.map(({ repo, name, version }) => `${repo}/${name} ${version}`);
};

test('several repositories stand in the order of their names, whatever order they came in', async () => {
  assert.deepEqual(await keys({}), [
    'a/gamma-2 0.1.0',
    'a/zeta 1.0.0',
    'b/Alpha 1.0.0',
    'b/beta 2.0.0',
    'b/beta 1.0.0',
    'b/gamma 1.0.0-rc.1',
  ]);
});

test('hits in names come before those in descriptions and keywords, of all repositories', async () => {
  const wanted = ['a/gamma-2 0.1.0', 'b/gamma 1.0.0-rc.1', 'b/beta 2.0.0', 'b/beta 1.0.0'];
  assert.deepEqual(await keys({ query: 'gamma' }), wanted);
  assert.deepEqual(await keys({ query: 'GAMMA', helm3: true }), wanted);
  assert.deepEqual(await keys({ query: 'gam+a', regexp: true }), wanted);
  assert.deepEqual(await keys({ query: 'GAM+A', regexp: true }), []);
});

test('of each chart the version is shown whose text matches best, and of several the newest', async () => {
  assert.deepEqual(await keys({ query: 'ünï', all_versions: false }), ['b/beta 1.0.0']);
  const index = read(
    Buffer.from(
      `apiVersion: v1\nentries:\n  alpha:\n${['3.0.0', '2.0.0', '1.0.0'].map(version => entry('alpha', version, `, ${version > '2.5' ? 'keywords: [fast]' : 'description: fast'}`)).join('')}`,
    ),
    'c',
  );
  for (const helm3 of [false, true]) {
    const one = { query: 'fast', version: '', all_versions: false, helm3 };
    const hits = await searchCharts(new Map([['c', index]]), one, signal);
    assert.deepEqual(
      hits.page({ limit: 0, offset: '' }).charts.map(({ version }) => version),
      ['2.0.0'],
    );
  }
  const best = { query: 'gamma', all_versions: false, version: '' };
  assert.deepEqual(await keys({ ...best, helm3: true }), ['a/gamma-2 0.1.0', 'b/beta 2.0.0']);
  assert.deepEqual(await keys({ ...best, helm3: true, version: '>0.0.0-0' }), [
    'a/gamma-2 0.1.0',
    'b/gamma 1.0.0-rc.1',
    'b/beta 2.0.0',
  ]);
});

test('pages go through all repositories, and begin where the one before ended', async () => {
  const hits = await searchCharts(both, all, signal);
  const whole = hits.page({ limit: 0, offset: '' }).charts;
  for (const limit of [1, 2, 3, 6, 7]) {
    const read: unknown[] = [];
    let offset = '';
    do {
      const page = hits.page({ limit, offset });
      assert.deepEqual([page.count, page.total], [page.charts.length, 6]);
      read.push(...page.charts);
      offset = page.next;
    } while (offset !== '');
    assert.deepEqual(read, whole, String(limit));
  }
});

describe('what cannot be right', () => {
  const page = (given: object) => keys({}, given);
  const cases: [string, () => Promise<unknown>, RegExp][] = [
    [
      'an offset of another repository',
      () => page({ offset: 'c/zeta/1.0.0' }),
      /offset "c\/zeta\/1.0.0" not found/,
    ],
    ['an offset without a version', () => page({ offset: 'a/zeta' }), /not found/],
    ['an offset of slashes', () => page({ offset: '///' }), /not found/],
    ['an offset of one word', () => page({ offset: 'a' }), /not found/],
    ['a limit below 0', () => page({ limit: -1 }), /must not be negative/],
    ['a limit that is no number', () => page({ limit: Number.NaN }), /must not be negative/],
    ['an expression that ends early', () => keys({ query: '(', regexp: true }), /missing closing/],
    ['an expression without end', () => keys({ query: 'x'.repeat(1001), regexp: true }), /1000 characters/],
    ['a range that is none', () => keys({ version: 'x y', helm3: true }), /not a version or a range/],
  ];
  for (const [title, run, message] of cases) test(title, () => assert.rejects(run(), { code: 3, message }));
});
