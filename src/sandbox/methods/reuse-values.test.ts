import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chartOf, message, releaseOf } from '../../../test/support/tiller-messages.ts';
import { workHere } from '../work/tasks.ts';
import { TillerCrash } from '../work/tiller-error.ts';
import { reuseValues } from './reuse-values.ts';

const chart = chartOf('new', {}, 'from: new\n');

async function reuse(
  old: string,
  given: string | undefined,
  flags: { reuse_values?: boolean; reset_values?: boolean } = {},
) {
  const current = releaseOf('r', 1, {
    chart: chartOf('old', {}, 'from: old\nkept: 1\n'),
    config: { raw: old },
  });
  const values = given === undefined ? {} : { values: { raw: given } };
  const request = message('hapi.services.tiller.UpdateReleaseRequest', { ...flags, ...values });
  const input = await reuseValues(workHere, request, chart, current);
  return [input.values?.raw, input.chart.values?.raw];
}

const own = 'from: new\n';

test('neither flag: the given alone, or the old ones where none are given', async () => {
  assert.deepEqual(await reuse('a: 1', 'b: 2'), ['b: 2', own]);
  for (const none of [undefined, '', '{}\n']) assert.deepEqual(await reuse('a: 1', none), ['a: 1', own]);
  assert.deepEqual(await reuse('{}\n', ''), ['', own]);
});

test('reset: the given alone, even when there are none; it wins over reuse', async () => {
  assert.deepEqual(await reuse('a: 1', '', { reset_values: true }), ['', own]);
  assert.deepEqual(await reuse('a: 1', 'b: 2', { reset_values: true, reuse_values: true }), ['b: 2', own]);
});

test('reuse: merged over the old ones, whose outcome becomes the chart’s defaults', async () => {
  const flags = { reuse_values: true };
  assert.deepEqual(await reuse('a: {x: 1, z: 1}', 'a: {z: 2}', flags), [
    'a:\n  x: 1\n  z: 2\n',
    'a:\n  x: 1\n  z: 1\nfrom: old\nkept: 1\n',
  ]);
  assert.deepEqual(await reuse('', '', flags), ['{}\n', 'from: old\nkept: 1\n']);
});

test('what cannot be merged', async () => {
  const flags = { reuse_values: true };
  await assert.rejects(reuse('a: 1', undefined, flags), TillerCrash);
  const text =
    'error unmarshaling JSON: while decoding JSON: json: cannot unmarshal array into Go value of type chartutil.Values';
  await assert.rejects(reuse('a: 1', '[1]', flags), { message: text });
  await assert.rejects(reuse('[1]', 'a: 1', flags), { message: `failed to rebuild old values: ${text}` });
  await assert.rejects(reuse('a: 1', 'a: [', flags), { message: /^error converting YAML to JSON/ });
});
