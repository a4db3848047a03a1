import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { decodeMessage, encodeMessage } from '../src/codec/index.ts';
import { parseYaml } from '../src/yaml/index.ts';
import { chartRequest, noSignal } from './charts/charts-request.ts';
import { makeChart } from './charts/make-archive.ts';
import { createTestCharts } from './support/test-charts.ts';

const charts = createTestCharts();
after(() => charts.close());

const metadata = 'name: a\nversion: 1.0.0\n';
const requirements = 'dependencies:\n- name: sub\n  version: "*"\n  import-values: [data]\n';
const many = Array.from({ length: 20_000 }, (_, index) => `k${index}: v`).join('\n');
const withImports = (values: string, more = {}) =>
  makeChart({
    'Chart.yaml': metadata,
    'requirements.yaml': requirements,
    'values.yaml': values,
    'charts/sub/Chart.yaml': 'name: sub\nversion: 1.0.0\n',
    'charts/sub/values.yaml': 'exports:\n  data:\n    imported: 1\n',
    ...more,
  });

/** Runs a task and counts how often something else gets a turn meanwhile. */
async function turnsDuring<T>(task: Promise<T>): Promise<[T, number]> {
  let turns = 0;
  const timer = setInterval(() => turns++, 2);
  try {
    return [await task, turns];
  } finally {
    clearInterval(timer);
  }
}

const large: [string, Parameters<typeof chartRequest>[0]][] = [
  ['values of a chart', { chartArchive: withImports(many) }],
  [
    'values by anchors',
    { chartArchive: withImports(`x: &x [${'a,'.repeat(200)}]\ny: [${'*x,'.repeat(90)}]\n`) },
  ],
  [
    'files',
    {
      chartArchive: withImports(
        '',
        Object.fromEntries(Array.from({ length: 2_000 }, (_, i) => [`f/${i}`, ''])),
      ),
    },
  ],
  [
    'values of a request',
    {
      chartArchive: withImports(''),
      values: encodeMessage('hapi.chart.Config', { raw: many }),
      set: ['a=b'],
    },
  ],
  [
    'values of a request as JSON',
    {
      chartArchive: withImports(''),
      valuesJson: Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`k${i}`, 'v'])),
    },
  ],
  ['items by an index', { chartArchive: withImports(''), set: ['a[60000]=b'] }],
];
for (const [title, request] of large) {
  test(`others are answered while a chart with many ${title} is built`, async () => {
    const [{ chart }, turns] = await turnsDuring(charts.resolve(chartRequest(request), noSignal));
    assert.ok(turns >= 5, `${turns} turns`);
    const { values } = decodeMessage('hapi.chart.Chart', chart);
    assert.equal((parseYaml(values?.raw ?? '') as Map<string, unknown>).get('imported'), 1n);
  });
}

test('what is wrong with a large chart is said as for a small one', async () => {
  const archive = withImports(`${many}\nbroken: [`);
  await assert.rejects(
    charts.resolve(
      chartRequest({ chartArchive: archive, values: encodeMessage('hapi.chart.Config', { raw: many }) }),
      noSignal,
    ),
    {
      name: 'GatewayError',
      code: 3,
      message: /^chart_archive: .*values\.yaml of chart a: .* line 20001: /,
    },
  );
  const files = Object.fromEntries(Array.from({ length: 10_001 }, (_, i) => [`f/${i}`, '']));
  await assert.rejects(charts.resolve(chartRequest({ chartArchive: withImports('', files) }), noSignal), {
    code: 3,
    message: 'chart_archive: the chart has more than 10000 files',
  });
});

test('one rule for how many values there may be', async () => {
  const raw = Array.from({ length: 50_001 }, (_, index) => `k${index}: v`).join('\n');
  for (const request of [
    { chartArchive: withImports(raw) },
    { chartArchive: withImports(''), values: encodeMessage('hapi.chart.Config', { raw }), set: ['a=b'] },
  ]) {
    await assert.rejects(charts.resolve(chartRequest(request), noSignal), {
      code: 3,
      message: /more than 100000 values/,
    });
  }
});
