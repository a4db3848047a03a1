import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { goJson, parseYaml, writeYaml } from './index.ts';

const folder = new URL('../../../../test/conformance/', import.meta.url);
const read = (name: string) => readFileSync(new URL(name, folder), 'utf8');

const rendered = read('renderer/expressions.jsonl')
  .trimEnd()
  .split('\n')
  .map(line => JSON.parse(line) as { template: string; output?: string });

function recorded(template: string): string {
  const line = rendered.find(each => each.template === template);
  assert.ok(line?.output !== undefined, template);
  return line.output;
}

test('all values of the recorded chart are written as the real Tiller wrote them', () => {
  const values = parseYaml(read('renderer/values.yaml'));
  assert.equal(writeYaml(values), recorded('{{ toYaml .Values }}'));
});

test('single values are written as the real Tiller wrote them', () => {
  const values = parseYaml(read('renderer/values.yaml')) as Map<string, never>;
  for (const name of ['map', 'mixed', 'multi', 'dotted']) {
    assert.equal(writeYaml(values.get(name)!), recorded(`{{ toYaml .Values.${name} }}`), name);
  }
  assert.equal(goJson(values.get('map')!, '  '), recorded('{{ toPrettyJson .Values.map }}'));
});
