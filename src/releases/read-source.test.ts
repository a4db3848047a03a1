import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TillerBackend } from '../backends/index.ts';
import { encodeMessage } from '../codec/index.ts';
import { type CallContext, Code, unavailable } from '../protocol/index.ts';
import { readOne } from './read-source.ts';

test('Tiller, who knows nothing of it, is not asked about a release of Helm 3', async () => {
  const request = encodeMessage('hapi.services.tiller.GetReleaseContentRequest', { name: 'a' });
  const wanted = { name: 'a', namespace: '' };
  const read = async (given: object, more: Partial<CallContext> = {}) => {
    const records = {
      only: false,
      storageOf: () => 'helm3',
      answers: () => true,
      settle: async () => {},
      writes: { settle: async () => undefined },
      report: () => ({ usable: true, ageMs: 0 }),
      unary: async () => Buffer.from('from records'),
      ...given,
    };
    const tiller = new Proxy({}, { get: () => assert.fail('Tiller was asked') });
    const backend = { kind: 'tiller', tiller, records } as unknown as TillerBackend;
    const context = { signal: new AbortController().signal, deadline: undefined, ...more };
    return (await readOne(backend, 'GetReleaseContent', request, context, wanted)).toString();
  };
  assert.equal(await read({}), 'from records');
  assert.equal(await read({ writes: { settle: async () => 'what the last write did' } }), 'from records');
  const broken = async () => Promise.reject(unavailable('the records are 61 s old'));
  await assert.rejects(read({ answers: () => false, unary: broken }), { code: Code.UNAVAILABLE });
  await assert.rejects(read({ unary: broken }), { message: 'the records are 61 s old' });
  await assert.rejects(read({}, { consistency: { consistent: true, minRevisions: new Map() } }), {
    code: Code.FAILED_PRECONDITION,
    message: 'consistent: only Tiller can answer, and the release is of Helm 3',
  });
});
