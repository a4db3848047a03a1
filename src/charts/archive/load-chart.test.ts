import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { type Entry, makeArchive, makeChart } from '../../../test/charts/make-archive.ts';
import { loadChart } from './load-chart.ts';

const limits = { maxUnpackedBytes: 2 ** 20, maxEntries: 50, maxNestedArchives: 2 };
const metadata = 'name: a\nversion: 1.0.0\n';

function refuses(archive: Uint8Array, message: RegExp, given = limits) {
  return assert.rejects(loadChart(archive, given), { name: 'GatewayError', code: 3, message });
}

function chartWith(...entries: Entry[]): Buffer {
  return makeArchive([{ name: 'a/Chart.yaml', data: metadata }, ...entries]);
}

test('files go where Helm puts them', async () => {
  const chart = await loadChart(
    makeChart({
      'Chart.yaml': metadata,
      'values.yaml': 'b: 1\n',
      'templates/x.yaml': 'x',
      'templates/sub/.y': 'y',
      'charts/child/Chart.yaml': 'name: child',
      'charts/child/templates/z.yaml': 'z',
      'charts/packed-1.0.0.tgz': makeChart({ 'Chart.yaml': 'name: packed' }),
      'charts/packed-1.0.0.tgz.prov': 'signature',
      'charts/_off/Chart.yaml': 'no: chart',
      'charts/.hidden': '',
      'requirements.yaml': '',
      '.helmignore': '*.bak',
      'kept.bak': Buffer.from([0xff, 0]),
    }),
    limits,
  );
  assert.equal(chart.values, 'b: 1\n');
  assert.deepEqual(
    chart.templates.map(({ name }) => name),
    ['templates/x.yaml', 'templates/sub/.y'],
  );
  assert.deepEqual(
    chart.dependencies.map(({ metadata: { name } }) => name),
    ['child', 'packed'],
  );
  assert.equal(chart.dependencies[0]?.templates[0]?.name, 'templates/z.yaml');
  assert.deepEqual(
    chart.files.map(({ name }) => name),
    ['charts/packed-1.0.0.tgz.prov', 'requirements.yaml', '.helmignore', 'kept.bak'],
  );
  assert.deepEqual([...(chart.files[3]?.data ?? [])], [0xff, 0]);
});

test('a chart without values.yaml is told from one with an empty one', async () => {
  const without = await loadChart(makeChart({ 'Chart.yaml': metadata }), limits);
  assert.equal(without.values, undefined);
  const empty = await loadChart(makeChart({ 'Chart.yaml': metadata, 'values.yaml': '' }), limits);
  assert.equal(empty.values, '');
});

test('a link is an empty file, and a PAX header of the whole archive none', async () => {
  const link: Entry = { name: 'a/templates/link.yaml', type: '2' };
  const chart = await loadChart(chartWith(link, { name: 'pax_global_header', type: 'g' }), limits);
  assert.deepEqual(
    chart.templates.map(({ name, data }) => [name, data.length]),
    [['templates/link.yaml', 0]],
  );
});

describe('names', () => {
  const accepted: [string, string][] = [
    ['a/b//c', 'b/c'],
    ['a/./b', 'b'],
    ['a/b/../c', 'c'],
    ['a\\templates\\x.yaml', 'templates/x.yaml'],
    ['x/y\\b', 'b'],
    ['a/ü中', 'ü中'],
    ['a/b/', 'b'],
    ['/etc', 'etc'],
  ];
  for (const [name, path] of accepted) {
    test(`${name} is ${path}`, async () => {
      const { files, templates } = await loadChart(chartWith({ name }), limits);
      assert.deepEqual(
        [...files, ...templates].map(file => file.name),
        [path],
      );
    });
  }

  const refused: [string | Buffer, RegExp][] = [
    ['Chart.yaml', /empty path/],
    ['a/../b', /parent directory/],
    ['a/../../etc/passwd', /parent directory/],
    ['a/..', /parent directory/],
    ['a/..b', /parent directory/],
    ['a//etc/passwd', /absolute paths/],
    ['a\\..\\..\\x', /parent directory/],
    ['a/c:/windows', /illegally named/],
    ['a\\c:\\windows', /illegally named/],
    [Buffer.from([0x61, 0x2f, 0xff]), /not UTF-8/],
  ];
  for (const [name, message] of refused) {
    test(`${name} is refused`, () => refuses(chartWith({ name }), message));
  }
});

describe('what is no chart', () => {
  const cases: [string, Uint8Array, RegExp][] = [
    ['nothing', new Uint8Array(), /gzipped archive/],
    ['text', Buffer.from('name: a'), /gzipped archive/],
    ['a gzip file of text', gzipSync('name: a'), /not a tar archive|cut off/],
    ['half an archive', makeChart({ 'Chart.yaml': metadata }).subarray(0, 60), /damaged/],
    ['an empty archive', makeArchive([]), /no files/],
    ['no Chart.yaml', makeChart({ 'README.md': '' }), /Chart\.yaml\) missing/],
    ['no name', makeChart({ 'Chart.yaml': 'version: 1' }), /name must not be empty/],
    ['a list as Chart.yaml', makeChart({ 'Chart.yaml': '- a' }), /Chart\.yaml: must be a map/],
    ...['v2', 'V1', 'v3', '1'].map((version): [string, Uint8Array, RegExp] => [
      `apiVersion ${version}`,
      makeChart({ 'Chart.yaml': `name: a\napiVersion: ${version}\n` }),
      new RegExp(`apiVersion '${version}' is not valid`),
    ]),
    ['broken YAML', makeChart({ 'Chart.yaml': 'a: [' }), /Chart\.yaml: error converting YAML to JSON/],
    ['Latin-1', makeChart({ 'Chart.yaml': Buffer.from('name: \xff', 'latin1') }), /not UTF-8/],
    ['values.toml', makeChart({ 'Chart.yaml': metadata, 'values.toml': '' }), /values\.toml is illegal/],
    [
      'binary values',
      makeChart({ 'Chart.yaml': metadata, 'values.yaml': Buffer.from([0xff]) }),
      /values\.yaml is not UTF-8/,
    ],
    [
      'a file in charts/',
      makeChart({ 'Chart.yaml': metadata, 'charts/README.md': '' }),
      /error unpacking README\.md in a: .*missing/,
    ],
    [
      'a folder named .tgz',
      makeChart({ 'Chart.yaml': metadata, 'charts/x.tgz/Chart.yaml': metadata }),
      /expected x\.tgz, got x\.tgz\/Chart\.yaml/,
    ],
    [
      'a broken archive in charts/',
      makeChart({ 'Chart.yaml': metadata, 'charts/x.tgz': 'x' }),
      /error unpacking x\.tgz in a: .*gzipped/,
    ],
  ];
  for (const [title, archive, message] of cases) {
    test(title, () => refuses(archive, message));
  }
});

describe('limits', () => {
  test('a gzip bomb', () => {
    const bomb = gzipSync(Buffer.alloc(2 ** 26));
    assert.ok(bomb.length < 2 ** 17);
    return refuses(bomb, /larger than 1048576 bytes when unpacked/);
  });

  test('many files', () => {
    const entries = Array.from({ length: 51 }, (_, index) => ({ name: `a/${index}` }));
    return refuses(makeArchive(entries), /more than 50 files/);
  });

  test('archives in archives', () => {
    let chart = makeChart({ 'Chart.yaml': metadata });
    for (let depth = 0; depth < 4; depth++) {
      chart = makeChart({ 'Chart.yaml': metadata, 'charts/next.tgz': chart });
    }
    return refuses(chart, /archives are nested deeper than 2/);
  });

  test('many small bombs share one budget', () => {
    const bomb = makeChart({ 'Chart.yaml': metadata, big: Buffer.alloc(300_000) });
    const charts = Object.fromEntries(Array.from({ length: 9 }, (_, index) => [`charts/${index}.tgz`, bomb]));
    return refuses(makeChart({ 'Chart.yaml': metadata, ...charts }), /larger than 1048576 bytes/);
  });

  test('folders of charts in charts', () => {
    const name = `${'charts/x/'.repeat(9)}`;
    const files: Record<string, string> = {};
    for (let depth = 0; depth <= 9; depth++) files[`${name.slice(0, depth * 9)}Chart.yaml`] = metadata;
    return assert.doesNotReject(loadChart(makeChart(files, 'a'), limits));
  });

  test('folders of charts nested without end', () => {
    const record = (name: string) => ({ name: '././@LongLink', type: 'L', data: `${name}\0` });
    const entries = Array.from({ length: 40 }, (_, depth) => [
      record(`a/${'charts/x/'.repeat(depth)}Chart.yaml`),
      { name: 'short', data: metadata },
    ]).flat();
    return refuses(makeArchive(entries), /nested deeper than 32/, { ...limits, maxEntries: 1000 });
  });
});
