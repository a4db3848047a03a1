import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cpuMsOf } from '../../../test/support/cpu-time.ts';
import type { Call } from './call.ts';
import { referenceOf } from './wanted-chart.ts';

const noCall = {} as Call;
const urlOf = async (chart: string, version = '') =>
  (await referenceOf(noCall, chart, { version, devel: false })).chartUrl;

for (const [chart, version, url] of [
  ['oci://host/web', '', 'oci://host/web'],
  ['oci://host/web', '1.4.2', 'oci://host/web:1.4.2'],
  ['oci://host/web:1.4.1', '1.4.2', 'oci://host/web:1.4.1'],
  ['oci://host:5000/web', '1.4.2', 'oci://host:5000/web:1.4.2'],
  ['stable/web', '1.4.2', 'stable/web/1.4.2'],
  ['http://host/web.tgz', '1.4.2', 'http://host/web.tgz'],
] as const)
  test(`${chart} in the version "${version}"`, async () => assert.equal(await urlOf(chart, version), url));

test('names are read in linear time', () => {
  const ms = cpuMsOf(() => {
    for (const part of [':', '/', '.', 'a:', ':/', '-'])
      for (const start of ['oci://h', 'http://h', 'h']) void urlOf(`${start}${part.repeat(100_000)}/`, '1');
  });
  assert.ok(ms < 2_000, `${ms} ms`);
});
