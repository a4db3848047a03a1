import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { decodeMessage, encodeMessage } from '../codec/index.ts';
import { writeReply, writeValuesAsJson } from './swift-json.ts';

test('the recorded replies of Tiller become the JSON that swift gave', () => {
  const methods: Record<string, string> = {
    GetReleaseContent: 'GetReleaseContentResponse',
    GetVersion: 'GetVersionResponse',
    InstallRelease: 'InstallReleaseResponse',
    UpdateRelease: 'UpdateReleaseResponse',
    GetReleaseStatus: 'GetReleaseStatusResponse',
    GetHistory: 'GetHistoryResponse',
    RollbackRelease: 'RollbackReleaseResponse',
    UninstallRelease: 'UninstallReleaseResponse',
  };
  let compared = 0;
  for (const line of readFileSync('test/conformance/rest-v2.jsonl', 'utf8').trim().split('\n')) {
    const { http, grpc } = JSON.parse(line);
    const response = methods[grpc[0]?.method.split('/').pop()];
    if (
      !response ||
      grpc[0].responses.length !== 1 ||
      http.response?.status !== 200 ||
      /json_values|asJson|as_json/i.test(http.request.path)
    )
      continue;
    if (http.request.method === 'HEAD') continue;
    const wire = Buffer.from(grpc[0].responses[0], 'base64');
    const json = writeReply(`appscode.swift.v2.${response}`, wire);
    assert.deepEqual(JSON.parse(json.toString()), JSON.parse(http.response.body));
    compared++;
  }
  assert.ok(compared > 50, `${compared} replies compared`);
});

test('values become JSON where they stand, everything around them stays', () => {
  const type = 'appscode.swift.v2.GetReleaseContentResponse';
  const chart = { metadata: { name: 'c' }, values: { raw: 'b: [1]' }, templates: [{ name: 't' }] };
  const release = { name: 'a', config: { raw: 'a: x' }, manifest: 'm', version: 3, chart };
  const wire = encodeMessage(type, { release, storage: 'HELM_3' });
  const { release: shown, storage } = decodeMessage(type, writeValuesAsJson(wire));
  assert.deepEqual(
    [shown?.name, shown?.config?.raw, shown?.manifest, shown?.version, storage],
    ['a', '{"a":"x"}', 'm', 3, 'HELM_3'],
  );
  assert.deepEqual(
    [shown?.chart?.metadata?.name, shown?.chart?.values?.raw, shown?.chart?.templates[0]?.name],
    ['c', '{"b":[1]}', 't'],
  );
});
