import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { packIndex, readIndex } from './read-index.ts';
import { findChart, RepositoryIndex } from './repository-index.ts';

const names = { where: 'index.yaml', repository: 'stable' };
const read = (text: string) => new RepositoryIndex(packIndex(Buffer.from(text), names));

function versionsOf(index: RepositoryIndex, name: string) {
  const { first, end } = index.versionsOf(name) ?? { first: 0, end: 0 };
  return Array.from({ length: end - first }, (_, at) => index.at(first + at));
}

test('versions stand newest first, whatever the order in the index', () => {
  const entry = (version: string) => `{name: a, version: ${version}, urls: [x]}`;
  const list = ['1.9.0', '1.10.0', '2.0.0-a', '1.10.0-b', '2.0.0'].map(entry).join(', ');
  const index = read(`{apiVersion: v1, entries: {a: [${list}]}}`);
  assert.deepEqual(
    versionsOf(index, 'a').map(({ version }) => version),
    ['2.0.0', '2.0.0-a', '1.10.0', '1.10.0-b', '1.9.0'],
  );
});

test('entries that say nothing usable are left out', () => {
  const index = read(`
apiVersion: v1
entries:
  a:
  - ~
  - text
  - {urls: [x]}
  - {version: x, urls: [x]}
  - {version: 1.0.0, urls: x}
  - {version: 1.0.0, urls: [x], deprecated: maybe}
  - {version: 1.0.0, urls: [good]}
  b: text
  __proto__: [{version: 1.0.0, urls: [x]}]
`);
  assert.deepEqual(
    versionsOf(index, 'a').map(({ urls }) => urls[0]),
    ['good'],
  );
  assert.equal(index.versionsOf('b'), undefined);
  assert.equal(findChart(index, '__proto__', '').name, '__proto__');
  assert.deepEqual([index.chartCount, index.versionCount], [2, 2]);
});

test('a newest version that cannot be read is not silently an older one', () => {
  for (const newest of [
    'urls: x',
    'urls: {}',
    'urls: [x], description: {}',
    'urls: [x], deprecated: maybe',
    'urls: [[x]]',
  ]) {
    const index = read(
      `{apiVersion: v1, entries: {a: [{version: 1.0.0, urls: [x]}, {version: 2.0.0, ${newest}}, {version: {}, urls: [x]}]}}`,
    );
    const { version, urls } = findChart(index, 'a', '');
    assert.deepEqual([version, urls[0] ?? ''], ['2.0.0', ''], newest);
    assert.deepEqual(findChart(index, 'a', '1.x').urls, ['x']);
    assert.deepEqual(
      index.leftOut.first.map(({ position, reason }) => [position, reason]),
      [
        [1, 'WRONG_TYPE'],
        [2, 'WRONG_TYPE'],
      ],
    );
    assert.equal(index.leftOut.listed, 1);
  }
});

test('what an entry says comes out as it went in', () => {
  const digest = '0123456789abcdef'.repeat(4);
  const entry = {
    name: 'ä/b',
    version: '1.0.0+x',
    digest,
    created: '2020-01-02T03:04:05.678Z',
    appVersion: '7',
    description: 'Tells\v"things"',
    home: 'https://x',
    icon: 'data:,',
    urls: ['[odd]', '', 'b'],
    keywords: ['one', '', 'two words', '[x'],
    deprecated: true,
  };
  const others = [
    { urls: ['https://x/y/ä/b-1.0.0.tgz'], keywords: ['[x'], digest: digest.toUpperCase(), version: '1.0.0' },
    { urls: [''], keywords: [''], digest: 'sha256:1', version: '0.0.0' },
    { urls: [], keywords: [], digest: '0'.repeat(64), version: '0.0.0-9007199254740993' },
    { urls: ['[x'], keywords: ['x'], digest: '', created: '', version: 'v0.0.0-1' },
  ].map(one => ({ ...entry, ...one }));
  const index = read(JSON.stringify({ apiVersion: 'v1', entries: { [entry.name]: [entry, ...others] } }));
  assert.deepEqual(versionsOf(index, entry.name), [entry, ...others]);
});

test('numbers of versions that no double holds keep their order', () => {
  const texts = ['9007199254740993.0.0', '9007199254740992.0.0', '9007199254740991.0.1'];
  const index = read(
    `{apiVersion: v1, entries: {a: [${texts.map(version => `{version: ${version}}`).toReversed()}]}}`,
  );
  assert.deepEqual(
    versionsOf(index, 'a').map(({ version }) => version),
    texts,
  );
  assert.equal(findChart(index, 'a', '<9007199254740993.0.0').version, texts[1]);
});

describe('what is no index', () => {
  for (const text of [
    '',
    '[]',
    'entries: {}',
    'apiVersion: v1\nentries: [a]',
    'a: [',
    'entries:\n  a:\n  - {}\n',
  ]) {
    test(JSON.stringify(text), () => assert.throws(() => read(text), { code: 3, message: /^index\.yaml: / }));
  }
});

test('an index without entries has no charts', () => {
  for (const text of ['apiVersion: v1', 'apiVersion: v1\nentries:\n', 'apiVersion: v1\nentries:\n# none\n'])
    assert.throws(() => findChart(read(text), 'a', ''), { code: 3, message: /no chart named "a"/ });
});

test('a version that is written out is found even if it is a pre-release', () => {
  const index = read('{apiVersion: v1, entries: {a: [{version: 1.0.0-a, urls: [x]}]}}');
  assert.equal(findChart(index, 'a', '1.0.0-a').version, '1.0.0-a');
  assert.throws(() => findChart(index, 'a', ''), { message: /no version of chart "a" matches "\*"/ });
});

/** As Helm writes an index: each chart some 500 bytes, so that groups end somewhere in it. */
function written(charts: number, indent: string, odd: (chart: number) => string = () => ''): string {
  const chart = (number: number) => `
${indent}chart-${number}:
${indent}- name: chart-${number}
${indent}  version: 1.0.0
${indent}  description: |
${indent}    Text
${indent}      chart-0: of chart ${number}
${indent}- name: chart-${number}
${indent}  version: 2.0.0-rc.1
${indent}  description: ${JSON.stringify('x'.repeat(250))}
${indent}  keywords:
${indent}  - one
${indent}  urls:
${indent}  - https://charts.example.test/chart-${number}-2.0.0-rc.1.tgz${odd(number)}`;
  return `apiVersion: v1\nentries:${Array.from({ length: charts }, (_, at) => chart(at)).join('')}\ngenerated: "2020-01-01T00:00:00Z"\n`;
}

describe('a long index, read some charts at a time', () => {
  const same = (text: string) => {
    // a flow map cannot be cut
    const whole = packIndex(Buffer.from(text.replaceAll('entries:', 'entries: ')), names);
    assert.deepEqual(packIndex(Buffer.from(text), names), whole);
    return whole.counts;
  };
  const cases: [string, string][] = [
    ['as Helm writes it', written(200, '  ')],
    ['with other indents', written(200, '      ')],
    ['with comments and blank lines', written(200, '  ', () => '\n\n# note\n  # note\n\n')],
    ['with CR LF', written(200, '  ').replaceAll('\n', '\r\n')],
    ['with anchors', written(200, '  ', at => (at === 0 ? '\n    home: &h https://x' : '\n    home: *h'))],
    [
      'with a text over several lines at the very left',
      written(200, '  ', () => '\n    home: "a\n  chart-7:\n  b"'),
    ],
    ['with other keys behind', `${written(200, '  ')}a: [b]\nserverInfo:\n  contextPath: x\n`],
    [
      'with text in front that looks like it',
      `a: "\nentries:\n"\n${written(200, '  ')}`.replace('"\nentries:\n"', '|\n  entries:\n'),
    ],
    ['without a line end at the end', written(200, '  ').trimEnd()],
    ['with a document in front', `---\n${written(200, '  ')}`],
  ];
  for (const [title, text] of cases) test(title, () => assert.ok(same(text).charts === 200));

  test('of two keys the later counts', () => {
    assert.equal(same(`${written(200, '  ')}entries:\n  b: [{version: 1.0.0}]\n`).charts, 1);
  });

  test('mistakes are those of the whole text', () => {
    for (const text of [
      written(200, '  ', at => (at === 190 ? '\n   - x' : '')),
      written(200, '  ', at => (at === 190 ? '\n    home: "x' : '')),
      written(200, '  ', at => (at === 190 ? '\n    home: *none' : '')),
      written(200, '  ').replace('apiVersion', 'apVersion'),
    ]) {
      let wanted: unknown;
      try {
        packIndex(Buffer.from(text.replaceAll('entries:', 'entries: ')), names);
      } catch (error) {
        wanted = { code: 3, message: (error as Error).message };
      }
      assert.ok(wanted, text.slice(-80));
      assert.throws(() => packIndex(Buffer.from(text), names), wanted as Error);
    }
  });

  test('in a thread it is the same', async () => {
    const { signal } = new AbortController();
    const text = { where: 'index.yaml', repository: 'stable' };
    const { index } = await readIndex(Buffer.from(written(600, '  ')), text, signal);
    assert.ok(index);
    assert.deepEqual([index.chartCount, index.versionCount], [600, 1200]);
    assert.equal(findChart(index, 'chart-199', '').description, 'Text\n  chart-0: of chart 199\n');
    const [url] = findChart(index, 'chart-199', '>1.0.0-0').urls;
    assert.equal(url, 'https://charts.example.test/chart-199-2.0.0-rc.1.tgz');
  });
});

test('an index with anchors is read in a thread, however small: it may have any number of versions', async () => {
  const rest = `# ${' '.repeat(100_000)}\n`;
  const data = Buffer.from(
    `apiVersion: v1\nv: &v {version: 1.0.0, urls: [x]}\nentries:\n  a: [*v, *v]\n${rest}`,
  );
  const { signal } = new AbortController();
  const { index } = await readIndex(data, { where: 'index.yaml', repository: 'stable' }, signal);
  assert.equal(index?.versionCount, 2);
  assert.equal(data.length, 0, 'it was not handed over');
});
