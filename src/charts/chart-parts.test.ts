import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { makeArchive, makeChart } from '../../test/charts/make-archive.ts';
import { messageType, wireToJson } from '../codec/index.ts';
import { type PartName, readChartParts, readPartsWhereItFits } from './chart-parts.ts';

const limits = { maxUnpackedBytes: 4 * 1024 * 1024, maxEntries: 100, maxNestedArchives: 2 };
const all: readonly PartName[] = ['readme', 'values', 'schema', 'chart', 'files', 'icon'];
const type = messageType('appscode.swift.v2.GetChartResponse');

async function show(content: Uint8Array, parts = all, maxBytes = 1024 * 1024) {
  const { message, ...icon } = await readChartParts({
    fetched: { name: 'web', content },
    parts,
    limits,
    maxBytes,
  });
  return { ...JSON.parse(wireToJson(type, message).toString()), ...icon };
}

const files = {
  'Chart.yaml':
    'apiVersion: v2\nname: web\nversion: 1.0.0\nicon: ./logo.svg\ntype: application\nweight: 1.0\n',
  'README.md': '# Web\n',
  'values.yaml': 'a: 1 # one\n',
  'values.schema.json': '{"type": "object"}',
  'templates/x.yaml': 'kind: {{ .Values.kind }}\n',
  'logo.svg': '<svg/>',
  'files/data.bin': Buffer.from([0, 1, 255]),
};

test('the parts of a chart, of Helm 3 too, and nothing that was not asked for', async () => {
  const shown = await show(makeChart(files));
  assert.equal(shown.readme, '# Web\n');
  assert.equal(shown.values, 'a: 1 # one\n');
  assert.equal(shown.schema, '{"type": "object"}');
  assert.deepEqual(shown.chart, {
    apiVersion: 'v2',
    icon: './logo.svg',

    name: 'web',
    type: 'application',
    version: '1.0.0',
    weight: 1,
  });
  assert.deepEqual(shown.files.at(-1), { name: 'files/data.bin', data: 'AAH/' });
  assert.deepEqual(shown.files[1], { name: 'README.md', text: '# Web\n' });
  assert.equal(shown.files.length, 7);
  assert.equal(shown.icon, './logo.svg');
  assert.equal(Buffer.from(shown.iconFile).toString(), '<svg/>');
  for (const part of ['readme', 'values', 'schema', 'chart', 'files'] as const) {
    const { icon: _, iconFile, ...one } = await show(makeChart(files), [part]);
    assert.deepEqual(Object.keys(one), [part]);
    assert.equal(iconFile, undefined);
  }
});

test('what a chart does not have is left out', async () => {
  const shown = await show(makeChart({ 'Chart.yaml': 'name: web' }));
  assert.deepEqual(Object.keys(shown).sort(), ['chart', 'files', 'icon', 'iconFile']);
});

for (const name of ['readme.md', 'README.TXT', 'Readme']) {
  test(`a README may be called ${name}, but not be in a folder`, async () => {
    const content = makeChart({ 'Chart.yaml': 'name: web', 'docs/README.md': 'no', [name]: 'yes' });
    assert.equal((await show(content)).readme, 'yes');
  });
}

test('a file that is there twice is its later one', async () => {
  const entries = ['one', 'two'].map(data => ({ name: 'web/values.yaml', data }));
  const content = makeArchive([{ name: 'web/Chart.yaml', data: 'name: web' }, ...entries]);
  assert.equal((await show(content)).values, 'two');
});

test('text that is not UTF-8 is mended in a README, and bytes as a file', async () => {
  const shown = await show(makeChart({ 'Chart.yaml': 'name: web', README: Buffer.from([0x61, 0xff]) }));
  assert.equal(shown.readme, 'a\ufffd');
  assert.deepEqual(shown.files[1], { name: 'README', data: 'Yf8=' });
});

describe('a chart that cannot be read', () => {
  const invalid = { code: 3, reason: 'CHART_INVALID' };
  const cases: [string, Uint8Array, object][] = [
    ['no archive', Buffer.from('<html>'), { ...invalid, message: /^web: does not appear to be a gzipped/ }],
    ['a damaged one', makeChart(files).subarray(0, 200), { ...invalid, message: /damaged/ }],
    ['an empty one', makeArchive([]), { ...invalid, message: /no files in chart archive/ }],
    ['no Chart.yaml', makeChart({ a: '' }), { ...invalid, message: /Chart.yaml\) missing/ }],
    ['Chart.yaml is no map', makeChart({ 'Chart.yaml': '- a' }), { ...invalid, message: /must be a map/ }],
    [
      'Chart.yaml is not UTF-8',
      makeChart({ 'Chart.yaml': Buffer.from([0xff]) }),
      { ...invalid, message: /UTF-8/ },
    ],
    ['Chart.yaml is no YAML', makeChart({ 'Chart.yaml': 'a: [' }), invalid],
    [
      'Chart.yaml expands without end',
      makeChart({
        'Chart.yaml': `a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefg'.replace(/./g, c => `${c}: &${c} [${`*${String.fromCharCode(c.charCodeAt(0) - 1)},`.repeat(9)}]\n`)}`,
      }),
      invalid,
    ],
    [
      'larger than the bound when unpacked',
      makeChart({ a: Buffer.alloc(5 * 1024 * 1024) }),
      { ...invalid, message: /larger than/ },
    ],
    ['a name that climbs out', makeChart({ '../../x': '' }), { ...invalid, message: /parent directory/ }],
  ];
  for (const [title, content, error] of cases) test(title, () => assert.rejects(show(content), error));
});

test('parts larger than an answer may be are refused before one is made', async () => {
  const content = makeChart({ 'Chart.yaml': 'name: web', 'README.md': 'x'.repeat(2 * 1024 * 1024) });
  await assert.rejects(show(content, ['readme']), {
    code: 8,
    message: /larger than 1048576 bytes: ask for fewer/,
  });
  assert.equal((await show(content, ['chart'])).chart.name, 'web');
});

test('in a thread the parts are the same', async () => {
  const signal = new AbortController().signal;
  const fetched = { name: 'web', content: makeChart(files) };
  const task = { fetched, parts: all, limits, maxBytes: 1024 * 1024 };
  const there = await readPartsWhereItFits(task, { signal });
  const here = await readChartParts(task);
  assert.deepEqual(Buffer.from(there.message), Buffer.from(here.message));
  assert.deepEqual(Buffer.from(there.iconFile!), Buffer.from(here.iconFile!));
  await assert.rejects(
    readPartsWhereItFits({ ...task, fetched: { name: 'web', content: Buffer.from('x') } }, { signal }),
    {
      reason: 'CHART_INVALID',
      message: /^web: does not/,
    },
  );
});
