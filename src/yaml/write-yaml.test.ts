import assert from 'node:assert/strict';
import { describe, it, test } from 'node:test';
import fc from 'fast-check';
import { inThread, ThreadPool } from '../protocol/index.ts';
import { goJson, parseYaml, writeYaml, type YamlValue } from './index.ts';

const map = (...entries: [string, YamlValue][]): YamlValue => new Map(entries);

/** Values and what yaml.v2's Marshal writes; the styles follow libyaml's emitter, indentation 2, width 80. */
const cases: readonly (readonly [YamlValue, string])[] = [
  [null, 'null\n'],
  [true, 'true\n'],
  [7n, '7\n'],
  [-7, '-7\n'],
  [2.5, '2.5\n'],
  [1e20, '1e+20\n'],
  [1e19, '10000000000000000000\n'],
  [18446744073709551615n, '18446744073709551615\n'],
  [18446744073709551616n, '1.8446744073709552e+19\n'],
  [1234567.5, '1.2345675e+06\n'],
  [1e-7, '1e-07\n'],
  [-0, '0\n'],
  ['', '""\n'],
  ['text', 'text\n'],
  ['y', '"y"\n'],
  ['~', '"~"\n'],
  ['0o17', '"0o17"\n'],
  ['08', '"08"\n'],
  ['1:30', '"1:30"\n'],
  ['2020-02-29', '"2020-02-29"\n'],
  ['2020-13-29', '2020-13-29\n'],
  ['2020-02-29  1:2:3.5', '"2020-02-29  1:2:3.5"\n'],
  ['2020-02-29 25:00:00', '2020-02-29 25:00:00\n'],
  ['2020-2-9t1:2:3+01:00', '"2020-2-9t1:2:3+01:00"\n'],
  ['1.2.3', '1.2.3\n'],
  ['- a', "'- a'\n"],
  ['-a', '-a\n'],
  ['?', "'?'\n"],
  ['?a', '?a\n'],
  [':', "':'\n"],
  ['a:b', 'a:b\n'],
  ['a: b', "'a: b'\n"],
  ['a:', "'a:'\n"],
  ['a#b', 'a#b\n'],
  ['a #b', "'a #b'\n"],
  ['---a', "'---a'\n"],
  ['...', "'...'\n"],
  ['`a', "'`a'\n"],
  ["'", "''''\n"],
  ['"', "'\"'\n"],
  ['\\', '\\\n'],
  ['{{ x }}', "'{{ x }}'\n"],
  [' a', "' a'\n"],
  ['a ', "'a '\n"],
  ['a\tb', '"a\\tb"\n'],
  ['\u0000\u0007\u001b', '"\\0\\a\\e"\n'],
  ['\ufeffa', '"\\uFEFF\\x61"\n'],
  ['😀', '"\\U0001F600"\n'],
  ['a\u2028b', '"a\\Lb"\n'],
  ['a\nb', '|-\n  a\n  b\n'],
  ['a\n', '|\n  a\n'],
  ['a\n\n', '|+\n  a\n\n'],
  ['\na', '|2-\n\n  a\n'],
  ['\n', '|2+\n\n'],
  [' a\nb', '|2-\n   a\n  b\n'],
  ['a \nb', '"a \\nb"\n'],
  ['a\nb ', '"a\\nb "\n'],
  ['a\n b', '|-\n  a\n   b\n'],
  ['a\r\nb', '"a\\r\\nb"\n'],
  [[], '[]\n'],
  [new Map(), '{}\n'],
  [[[], new Map(), [1n], map(['a', [2n]])], '- []\n- {}\n- - 1\n- a:\n  - 2\n'],
  [
    map(['a', [[1n, 2n], 'x\ny']], ['b', map(['c', map()])]),
    'a:\n- - 1\n  - 2\n- |-\n  x\n  y\nb:\n  c: {}\n',
  ],
  [map(['b', 1n], ['a', 2n], ['B', 3n]), 'B: 3\na: 2\nb: 1\n'],
  [
    map(['a2', 1n], ['a10', 2n], ['a', 3n], ['a-', 4n], ['2', 5n], ['10', 6n]),
    '"2": 5\n"10": 6\na: 3\na-: 4\na2: 1\na10: 2\n',
  ],
  [map(['x01', 1n], ['x1', 2n], ['x001', 3n]), 'x1: 2\nx01: 1\nx001: 3\n'],
  [map(['true', 1n], ['', 2n], ['a b', 3n], ['a: b', 4n]), '"": 2\na b: 3\n\'a: b\': 4\n"true": 1\n'],
  [map(['k\nl', 1n]), '? |-\n  k\n  l\n: 1\n'],
  [map(['k'.repeat(129), [1n]]), `? ${'k'.repeat(129)}\n: - 1\n`],
  [map(['k'.repeat(128), [1n]]), `${'k'.repeat(128)}:\n- 1\n`],
];

describe('values as yaml.v2 writes them', () => {
  for (const [value, text] of cases) it(JSON.stringify(text), () => assert.equal(writeYaml(value), text));
});

test('a long text of short lines is written line by line, in a small thread', async () => {
  const lines = Array.from({ length: 50_000 }, (_, index) => 'ab'.slice(index % 3));
  const expected = lines.map(line => (line === '' ? '' : `  ${line}`)).join('\n');
  assert.equal(writeYaml(map(['k', lines.join('\n')])), `k: |-\n${expected}\n`);
  const pool = new ThreadPool({ maxThreads: 1, maxWaiting: 0, maxHeapMiB: 64, maxJobMs: 60_000 });
  const write = inThread(new URL('./write-yaml.ts', import.meta.url).href, writeYaml, pool);
  const { signal } = new AbortController();
  const text = 'a\n'.repeat(2_000_000);
  const written = await write({ what: 'the text', bytes: text.length, signal }, map(['k', text]));
  assert.equal(written.length, 4 * 2_000_000 + 'k: |\n'.length);
});

test('long texts are folded behind column 80, plain, single and double quoted', () => {
  const words = (count: number, word: string) => Array.from({ length: count }, () => word).join(' ');
  const nine = 'abcdefghi';
  assert.equal(writeYaml(words(10, nine)), `${words(9, nine)}\n  ${nine}\n`);
  assert.equal(
    writeYaml(map(['key', words(17, nine)])),
    `key: ${words(8, nine)}\n  ${words(8, nine)}\n  ${nine}\n`,
  );
  assert.equal(writeYaml(`# ${words(9, nine)}`), `'# ${words(8, nine)}\n  ${nine}'\n`);
  assert.equal(writeYaml(`\t ${words(9, nine)}`), `"\\t ${words(8, nine)}\n  ${nine}"\n`);
  const quoted = "it's";
  assert.equal(writeYaml(`# ${words(15, quoted)}`), `'# ${words(14, "it''s")}\n  it''s'\n`);
  assert.equal(writeYaml('x'.repeat(200)), `${'x'.repeat(200)}\n`);
});

test('a byte order mark at the start has all the rest escaped', () => {
  // yaml.v2's is_bom looks at the start of the text, whichever character it is asked about.
  assert.equal(writeYaml('\uFEFFa é\n'), '"\\uFEFF\\x61\\x20\\xE9\\n"\n');
  assert.equal(writeYaml('a\uFEFF b'), '"a\\uFEFF b"\n');
});

test('what JSON or YAML cannot hold is an error', () => {
  assert.throws(() => writeYaml(Number.NaN), { message: 'json: unsupported value: NaN' });
  assert.throws(() => writeYaml([Number.POSITIVE_INFINITY]), { message: 'json: unsupported value: +Inf' });
  assert.throws(() => writeYaml('\u007f'), /control characters are not allowed/);
});

const scalar: fc.Arbitrary<YamlValue> = fc.oneof(
  fc.constant(null),
  fc.boolean(),
  fc.bigInt({ min: -(1n << 63n), max: (1n << 64n) - 1n }),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.string({ unit: 'grapheme' }),
  fc.string({
    unit: fc.constantFrom('a', ' ', '\n', ':', '-', '#', "'", '"', '1', 'é', '\t', '\r', '\u2028'),
  }),
);
const { value: anyValue } = fc.letrec<{ value: YamlValue; list: YamlValue; map: YamlValue }>(tie => ({
  value: fc.oneof({ maxDepth: 4 }, scalar, tie('list'), tie('map')),
  list: fc.array(tie('value'), { maxLength: 5 }),
  map: fc
    .array(
      fc.tuple(fc.string({ unit: fc.constantFrom('k', '1', '0', ' ', ':', '\n', '-', 'é') }), tie('value')),
      { maxLength: 5 },
    )
    .map(entries => new Map(entries) as YamlValue),
}));

test('what is written reads back as the same JSON, and is written alike again', () => {
  fc.assert(
    fc.property(anyValue, value => {
      const text = writeYaml(value);
      const read = parseYaml(text);
      // Through JSON a float without a fraction becomes an integer, so compare what both are in JSON.
      assert.equal(goJson(read), goJson(parseYaml(goJson(value))));
      assert.equal(writeYaml(read), text);
    }),
    { numRuns: 1_500, seed: 20_261_121 },
  );
});
