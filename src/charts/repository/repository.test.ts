import assert from 'node:assert/strict';
import { test } from 'node:test';
import { packIndex, readIndex } from './read-index.ts';
import { findChart, RepositoryIndex } from './repository-index.ts';

const noSignal = new AbortController().signal;
const entries = Array.from(
  { length: 5_000 },
  (_, index) => `  chart-${index}:\n  - {name: chart-${index}, version: 1.0.${index}, urls: [a.tgz]}\n`,
).join('');
const large = Buffer.from(`apiVersion: v1\nentries:\n${entries}`);

const text = { where: 'x', repository: 'try' };

test('a large index comes out of its thread as it would here', async () => {
  assert.ok(large.length > 256 * 1024);
  const { index, sha256 } = await readIndex(Buffer.from(large), text, noSignal);
  assert.ok(index);
  assert.deepEqual(index, new RepositoryIndex(packIndex(large, text)));
  assert.equal(findChart(index, 'chart-4999', '1.x').version, '1.0.4999');
  const again = await readIndex(Buffer.from(large), { ...text, known: sha256 }, noSignal);
  assert.deepEqual(again, { sha256, index: undefined });
});

test('what is wrong with it is told', async () => {
  const broken = Buffer.concat([large, Buffer.from('\n- [')]);
  await assert.rejects(readIndex(broken, { ...text, where: 'https://x/index.yaml' }, noSignal), {
    name: 'GatewayError',
    code: 3,
    message: /^https:\/\/x\/index\.yaml: error converting YAML to JSON: yaml: line/,
  });
});

test('who goes away does not wait for it', async () => {
  const caller = new AbortController();
  const reading = readIndex(Buffer.from(large), text, caller.signal);
  caller.abort(new Error('gone'));
  await assert.rejects(reading, { message: 'gone' });
});
