import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { writeReply } from './swift-json.ts';

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
