import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readManifestObjects } from './manifest-objects.ts';

function outcome(kind: string, containers: string, annotations = '{}') {
  const spec =
    kind === 'Job' ? `{template: {spec: {containers: ${containers}}}}` : `{containers: ${containers}}`;
  const manifest = `{apiVersion: v1, kind: ${kind}, metadata: {name: p, annotations: ${annotations}}, spec: ${spec}}`;
  const { succeeded, log } = readManifestObjects(manifest, 'default')[0]!.outcome!;
  return `${succeeded} ${JSON.stringify(log)}`;
}

test('all containers must succeed, their output is one log', () => {
  const fine = '{command: [sh, -c, "echo one"]}';
  const bad = '{command: [sh], args: [-c, "echo two; exit 1"]}';
  for (const kind of ['Pod', 'Job']) {
    assert.equal(outcome(kind, `[${fine}]`), 'true "one\\n"');
    assert.equal(outcome(kind, `[${fine}, ${bad}]`), 'false "one\\ntwo\\n"');
  }
});

test('without a command, or without a spec that can be read, it succeeds', () => {
  for (const containers of ['[{image: x}]', '[]', 'none', '[7, [], {command: sh}]'])
    assert.equal(outcome('Pod', containers), 'true ""', containers);
});

test('annotations decide over the command', () => {
  const bad = '[{command: [/bin/false]}]';
  assert.equal(outcome('Pod', bad), 'false ""');
  assert.equal(outcome('Pod', bad, '{sandbox.tiller-gateway/exit-code: "0"}'), 'true ""');
  assert.equal(
    outcome('Job', '[]', '{sandbox.tiller-gateway/exit-code: 3, sandbox.tiller-gateway/log: "x"}'),
    'false "x"',
  );
});
