import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { decodeMessage } from '../codec/index.ts';
import { goJson, parseYaml, writeYaml, yamlToJson } from './index.ts';

const folder = new URL('../../test/conformance/', import.meta.url);
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
  const names = ['map', 'mixed', 'quoted', 'float', 'big'];
  const written = names.map(name => goJson(values.get(name)!)).join(' ');
  const rest = '{{ toJson nil }} {{ toJson .Values.huge }}';
  const all = recorded(`${names.map(name => `{{ toJson .Values.${name} }}`).join(' ')} ${rest}`);
  assert.equal(written, all.slice(0, written.length));
});

interface Step {
  http: { request: { path: string }; response: { body: string } };
  grpc: { responses: string[] }[];
}

test('values that swift gave as JSON are what yamlToJson makes of the values that Tiller gave', () => {
  const steps = read('rest-v2.jsonl')
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line) as Step);
  let compared = 0;
  for (const { http, grpc } of steps) {
    if (!http.request.path.includes('format_values_as_json=true')) continue;
    const shown = JSON.parse(http.response.body).release;
    const wire = Buffer.from(grpc.at(-1)!.responses[0]!, 'base64');
    const { release } = decodeMessage('hapi.services.tiller.GetReleaseContentResponse', wire);
    assert.equal(yamlToJson(release?.config?.raw ?? ''), shown.config.raw);
    assert.equal(yamlToJson(release?.chart?.values?.raw ?? ''), shown.chart.values.raw);
    compared++;
  }
  assert.equal(compared, 3);
});
