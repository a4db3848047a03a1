import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TillerBackend } from '../backends/index.ts';
import { decodeMessage, encodeMessage } from '../codec/index.ts';
import { getReleaseStatus } from './read-release.ts';

test('a status without resources says that Helm 3 keeps the release', async () => {
  const type = 'appscode.swift.v2.GetReleaseStatusResponse';
  const status = { code: 'DEPLOYED', resources: 'a table', notes: 'n' } as const;
  const records = {
    storageOf: () => 'helm3',
    answers: () => true,
    writes: { settle: async () => undefined },
    report: () => ({ ageMs: 0 }),
    unary: async () => encodeMessage(type, { name: 'a', info: { status }, storage: 'HELM_3' }),
  };
  const request = encodeMessage('appscode.swift.v2.GetReleaseStatusRequest', {
    name: 'a',
    skip_resources: true,
  });
  const { signal } = new AbortController();
  const backend = { kind: 'tiller', records } as unknown as TillerBackend;
  const reply = await getReleaseStatus(backend, request, { signal, deadline: undefined });
  const { name, info, storage } = decodeMessage(type, reply);
  assert.deepEqual(
    [name, info?.status?.code, info?.status?.resources, info?.status?.notes, storage],
    ['a', 'DEPLOYED', '', 'n', 'HELM_3'],
  );
});
