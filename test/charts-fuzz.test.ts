import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import type { Charts } from '../src/charts/index.ts';
import { parseConstraint, parseVersion } from '../src/charts/requirements/version-constraint.ts';
import { decodeMessage, encodeMessage } from '../src/codec/schema.ts';
import { GatewayError } from '../src/protocol/index.ts';
import { chartRequest, noSignal } from './charts/charts-request.ts';
import { type Entry, makeArchive, makeChart } from './charts/make-archive.ts';
import { anyPath, anyText } from './support/any-text.ts';
import { createTestCharts } from './support/test-charts.ts';

/** A test that takes longer hangs: every bound is far below. */
const timeout = 60_000;
const charts: Charts = createTestCharts({ maxUnpackedBytes: 2 ** 22, maxEntries: 500 });
const metadata = 'name: a\nversion: 1.0.0\n';

/** Loads an uploaded archive: either a chart comes out, or a refusal that is the caller's to mend. */
async function survives(archive: Uint8Array, raw = ''): Promise<boolean> {
  const values = encodeMessage('hapi.chart.Config', { raw });
  try {
    const request = chartRequest({ chartArchive: archive, values });
    const { chart } = await charts.resolve(request, noSignal);
    assert.ok(decodeMessage('hapi.chart.Chart', chart).metadata?.name);
    return true;
  } catch (error) {
    assert.ok(error instanceof GatewayError, `${error instanceof Error ? error.stack : error}`);
    assert.equal(error.code, 3, error.message);
    assert.ok(error.message.startsWith('chart_archive: ') && error.message.length < 2000, error.message);
    return false;
  }
}

const sample = makeChart({
  'Chart.yaml': metadata,
  'values.yaml': 'a: {b: [1, 2.5, true, null]}\nd: |\n  text\n',
  'requirements.yaml':
    'dependencies:\n- {name: b, version: ~1.0, condition: b.on, tags: [t], import-values: [x]}\n',
  'charts/b/Chart.yaml': 'name: b\nversion: 1.0.1',
  'charts/b/values.yaml': 'exports: {x: {y: 1}}',
  'charts/c.tgz': makeChart({ 'Chart.yaml': 'name: c', 'templates/x': 'x'.repeat(700) }),
  'templates/deployment.yaml': '{{ .Values.a }}\n'.repeat(50),
});
const sampleTar = gunzipSync(sample);

test('the sample is a chart', async () => assert.equal(await survives(sample), true));

test('what is packed comes out, byte for byte', { timeout }, async () => {
  const part = fc.stringMatching(/^[a-zü日😀 +@~=-]{1,8}$/u);
  const name = fc.array(part, { minLength: 1, maxLength: 3 }).map(parts => `files/${parts.join('/')}`);
  const files = fc.dictionary(name, fc.uint8Array({ maxLength: 1500 }), { maxKeys: 8 });
  await fc.assert(
    fc.asyncProperty(files, async given => {
      const archive = makeChart({ 'Chart.yaml': metadata, ...given });
      const { chart } = await charts.resolve(chartRequest({ chartArchive: archive }), noSignal);
      const sent = decodeMessage('hapi.chart.Chart', chart).files.map(({ type_url, value }) => [
        type_url,
        Buffer.from(value).toString('hex'),
      ]);
      const packed = Object.entries(given).map(([path, data]) => [path, Buffer.from(data).toString('hex')]);
      assert.deepEqual(sent, packed);
    }),
    { numRuns: 100 },
  );
});

describe('damaged archives', { timeout }, () => {
  test('cut off anywhere', async () => {
    for (let end = 1; end < sample.length; end += 7) {
      assert.equal(await survives(sample.subarray(0, end)), false, `${end}`);
    }
  });

  test('cut off inside the gzip file', async () => {
    for (let end = 0; end < sampleTar.length; end += 97) await survives(gzipSync(sampleTar.subarray(0, end)));
  });

  test('with flipped bits', async () => {
    const flip = fc.tuple(fc.nat(sample.length - 1), fc.nat(7));
    await fc.assert(
      fc.asyncProperty(fc.array(flip, { minLength: 1, maxLength: 3 }), async flips => {
        await survives(flipped(sample, flips));
      }),
      { numRuns: 300 },
    );
  });

  test('with flipped bits inside the gzip file', async () => {
    const flip = fc.tuple(fc.nat(sampleTar.length - 1), fc.nat(7));
    await fc.assert(
      fc.asyncProperty(fc.array(flip, { minLength: 1, maxLength: 3 }), async flips => {
        await survives(gzipSync(flipped(sampleTar, flips)));
      }),
      { numRuns: 300 },
    );
  });

  test('of anything at all', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 3000 }), async bytes => {
        await survives(bytes);
        await survives(gzipSync(bytes));
      }),
      { numRuns: 100 },
    );
  });
});

test('hostile names and types', { timeout }, async () => {
  const part = fc.oneof(
    fc.constantFrom(
      '..',
      '.',
      '',
      '/',
      '\\',
      'C:',
      'c:/',
      'charts',
      'templates',
      'Chart.yaml',
      'x.tgz',
      '_',
      '\0',
    ),
    anyText({ maxLength: 4 }),
  );
  const name = fc
    .tuple(fc.array(part, { maxLength: 6 }), fc.constantFrom('/', '\\', ''))
    .map(([parts, separator]) => parts.join(separator));
  const entry: fc.Arbitrary<Entry> = fc.record({
    name,
    type: fc.constantFrom('0', '1', '2', '3', '5', 'x', 'g', 'L', 'K', 'S', 'V', '\0', '\xff'),
    data: fc.constantFrom('', 'a', '12 path=../x\n', metadata),
    mode: fc.constantFrom(0o644, 0o040755, 0o120777),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(entry, { maxLength: 6 }), async entries => {
      const archive = makeArchive([{ name: 'a/Chart.yaml', data: metadata }, ...entries]);
      const { chart } = await charts
        .resolve(chartRequest({ chartArchive: archive }), noSignal)
        .catch(async (error: unknown) => {
          assert.ok(error instanceof GatewayError && error.code === 3, `${error}`);
          return { chart: new Uint8Array() };
        });
      const { files, templates } = decodeMessage('hapi.chart.Chart', chart);
      for (const path of [...files.map(file => file.type_url), ...templates.map(file => file.name)]) {
        assert.doesNotMatch(path, /^(\/|\.\.|[a-zA-Z]:\/)|(^|\/)\.\.(\/|$)/);
      }
    }),
    { numRuns: 300 },
  );
});

describe('hostile YAML', { timeout }, () => {
  const laughs = ['a: &a [x, x, x, x, x, x, x, x, x, x]']
    .concat(
      Array.from({ length: 9 }, (_, index) => {
        const [from, to] = ['abcdefghij'[index], 'abcdefghij'[index + 1]];
        return `${to}: &${to} [${Array(10).fill(`*${from}`).join(', ')}]`;
      }),
    )
    .join('\n');
  const texts: [string, string][] = [
    ['aliases that explode', laughs],
    ['an alias of itself', 'a: &a {b: *a}'],
    ['lists in lists', '['.repeat(200_000)],
    ['maps in maps', `${'{a: '.repeat(200_000)}`],
    ['blocks in blocks', Array.from({ length: 2000 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n')],
    ['keys that are questions', '? '.repeat(100_000)],
    ['a huge scalar', `a: ${'x'.repeat(3_000_000)}`],
    ['a huge number', `a: ${'9'.repeat(300_000)}`],
    ['many anchors', Array.from({ length: 20_000 }, (_, index) => `k${index}: &a${index} x`).join('\n')],
    ['many documents', '---\n'.repeat(200_000)],
    ['control characters', 'a: "\u0000\u0007"'],
    ['no UTF-16', 'a: "\\ud800"'],
    ['merges that explode', `${laughs}\nz: {<<: [*a, *b]}`],
  ];
  for (const [title, text] of texts) {
    test(`${title}, in every place`, async () => {
      const required = { 'requirements.yaml': 'dependencies: [{name: b}]', 'charts/b/Chart.yaml': 'name: b' };
      await survives(makeChart({ 'Chart.yaml': text }));
      await survives(makeChart({ 'Chart.yaml': metadata, 'values.yaml': text }));
      await survives(makeChart({ 'Chart.yaml': metadata, ...required, 'values.yaml': text }));
      await survives(makeChart({ 'Chart.yaml': metadata, ...required, 'charts/b/values.yaml': text }));
      await survives(makeChart({ 'Chart.yaml': metadata, 'requirements.yaml': text }));
      await survives(makeChart({ 'Chart.yaml': metadata, ...required }), text);
    });
  }
});

describe('text that callers write', { timeout }, () => {
  test('--set lines', async () => {
    const line = fc.array(
      fc.constantFrom('a', '0', '9', '.', '=', ',', '[', ']', '{', '}', '\\', '-', 'null', 'é'),
      {
        maxLength: 16,
      },
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(line, { minLength: 1, maxLength: 3 }),
        fc.boolean(),
        async (lines, isText) => {
          const set = lines.map(parts => parts.join(''));
          const request = chartRequest({
            chart: new Uint8Array(),
            ...(isText ? { setString: set } : { set }),
          });
          try {
            const { values } = await charts.resolve(request, noSignal);
            assert.ok(decodeMessage('hapi.chart.Config', values).raw.endsWith('\n'));
          } catch (error) {
            assert.ok(error instanceof GatewayError && error.code === 3, `${error}`);
          }
        },
      ),
      { numRuns: 2000 },
    );
  });

  test('versions and ranges', () => {
    const text = fc
      .array(
        fc.constantFrom(
          '1',
          '0',
          '12',
          '.',
          'x',
          '*',
          '-',
          '+',
          'v',
          '^',
          '~',
          '>',
          '<',
          '=',
          '!',
          ' ',
          ',',
          '|',
          'a',
        ),
      )
      .map(parts => parts.join(''));
    fc.assert(
      fc.property(text, text, (range, version) => {
        const read = parseVersion(version);
        const constraint = parseConstraint(range);
        if (read && constraint) assert.equal(typeof constraint(read), 'boolean');
      }),
      { numRuns: 2000 },
    );
  });

  test('URLs', async () => {
    const webUrl = fc
      .tuple(fc.constantFrom('http', 'https'), fc.webAuthority(), anyPath(), anyPath())
      .map(([scheme, authority, path, query]) => `${scheme}://${authority}${path}?${query}`);
    const url = fc.oneof(webUrl, fc.string(), anyPath());
    const offline = createTestCharts({
      resolveHost: async () => [{ address: '169.254.169.254', family: 4 }],
      chartDir: '/nonexistent',
    });
    await fc.assert(
      fc.asyncProperty(url, async chartUrl => {
        await assert.rejects(offline.resolve(chartRequest({ chartUrl }), noSignal), { code: 3 });
      }),
      { numRuns: 300 },
    );
    await offline.close();
  });
});

function flipped(bytes: Buffer, flips: readonly (readonly [number, number])[]): Buffer {
  const copy = Buffer.from(bytes);
  for (const [index, bit] of flips) copy[index] = (copy[index] ?? 0) ^ (1 << bit);
  return copy;
}
