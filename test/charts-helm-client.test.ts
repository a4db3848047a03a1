import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { loadChart } from '../src/charts/archive/load-chart.ts';
import { encodeChart } from '../src/charts/chart/chart.ts';
import { prepareChart } from '../src/charts/requirements/prepare-chart.ts';
import { mergeValues } from '../src/charts/values/merge-values.ts';
import type { Chart } from '../src/codec/messages.gen.ts';
import { decodeMessage, encodeMessage } from '../src/codec/schema.ts';
import { parseYaml, writeYaml } from '../src/yaml/index.ts';
import { comparable } from './charts/compare-requests.ts';

interface HelmCase {
  readonly id: string;
  readonly chart: string;
  readonly values: string;
  readonly request?: string;
  readonly clientError?: string;
}

const folder = `${import.meta.dirname}/conformance`;
const cases = readFileSync(`${folder}/helm-client.jsonl`, 'utf8')
  .split('\n')
  .filter(line => line !== '')
  .map(line => JSON.parse(line) as HelmCase);
const limits = { maxUnpackedBytes: 2 ** 26, maxEntries: 10_000, maxNestedArchives: 8 };

async function load({ chart: file, values }: HelmCase): Promise<Chart> {
  const given = mergeValues({
    values: encodeMessage('hapi.chart.Config', { raw: values }),
    set: [],
    setString: [],
  });
  const chart = await loadChart(readFileSync(`${folder}/charts/${file}`), limits);
  prepareChart(chart, given.parse, () => {});
  return decodeMessage('hapi.chart.Chart', encodeChart(chart, 2 ** 24));
}

test('there are 24 recorded cases', () => assert.equal(cases.length, 24));

for (const recorded of cases) {
  if (recorded.request === undefined) {
    test(`${recorded.id}: is refused, as the Helm client refuses it`, async () => {
      const reason = /absent|gzipped archive|chart metadata \(Chart\.yaml\) missing/;
      assert.match(recorded.clientError ?? '', reason);
      await assert.rejects(load(recorded), { code: 3, message: reason });
    });
    continue;
  }
  const request = decodeMessage(
    'hapi.services.tiller.InstallReleaseRequest',
    Buffer.from(recorded.request, 'base64'),
  );
  test(`${recorded.id}: the chart is what the Helm client sent`, async () => {
    assert.deepEqual(comparable(await load(recorded)), comparable(request.chart));
  });
  test(`${recorded.id}: merged values are written as the Helm client wrote them`, () => {
    // the client reads the file and writes it anew, as happens here to values that have others merged into them
    const values = mergeValues({
      values: encodeMessage('hapi.chart.Config', { raw: recorded.values }),
      valuesJson: {},
      set: [],
      setString: [],
    });
    assert.equal(decodeMessage('hapi.chart.Config', values.wire).raw, request.values?.raw);
  });
  test(`${recorded.id}: values alone are passed on byte for byte`, () => {
    const given = encodeMessage('hapi.chart.Config', { raw: recorded.values });
    const values = mergeValues({ values: given, set: [], setString: [] });
    assert.deepEqual(values.wire, given);
    assert.equal(writeYaml(values.parse()), writeYaml(parseYaml(request.values?.raw ?? '')));
  });
}
