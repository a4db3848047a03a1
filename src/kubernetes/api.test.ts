import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ApiRefused, type ClusterAccess, type RequestSettings, withFreshCredentials } from './api.ts';

/** Gives out numbered credentials, a new number after each `forget`. */
function createAccess(): ClusterAccess {
  let number = 1;
  return {
    async settings(): Promise<RequestSettings> {
      return { server: 'https://h', headers: { authorization: `${number}` }, tls: {}, agent: undefined };
    },
    forget() {
      number++;
    },
  };
}

const never = new AbortController().signal;
const credentials = async ({ headers }: RequestSettings) => Number(headers.authorization);

describe('withFreshCredentials', () => {
  test('keeps credentials that are good', async () => {
    const access = createAccess();
    for (let i = 0; i < 2; i++) {
      assert.equal(await withFreshCredentials(access, never, credentials), 1);
    }
  });

  test('makes one more attempt with fresh ones, and no third', async () => {
    const access = createAccess();
    const used: number[] = [];
    const refuse = async (settings: RequestSettings) => {
      used.push(await credentials(settings));
      throw new ApiRefused('asking', 401, Buffer.alloc(0));
    };
    await assert.rejects(withFreshCredentials(access, never, refuse), { status: 401 });
    assert.deepEqual(used, [1, 2]);
    const refuseOnce = (settings: RequestSettings) =>
      used.length < 3 ? refuse(settings) : credentials(settings);
    assert.equal(await withFreshCredentials(access, never, refuseOnce), 3);
    assert.deepEqual(used, [1, 2, 2]);
  });

  test('keeps them where something else was refused', async () => {
    const access = createAccess();
    const forbid = async () => {
      throw new ApiRefused('asking', 403, Buffer.alloc(0));
    };
    await assert.rejects(withFreshCredentials(access, never, forbid), { status: 403 });
    assert.equal(await withFreshCredentials(access, never, credentials), 1);
  });

  test('does not repeat an attempt that throws, but does not keep what it used', async () => {
    const access = createAccess();
    const failing = async () => {
      throw new Error('no');
    };
    await assert.rejects(withFreshCredentials(access, never, failing), { message: 'no' });
    assert.equal(await withFreshCredentials(access, never, credentials), 2);
  });

  test('does not wait for ever for credentials', async () => {
    const hanging = { ...createAccess(), settings: () => new Promise<RequestSettings>(() => {}) };
    const expected = { code: 14, message: /^getting credentials took too long/ };
    const signals = [AbortSignal.abort(), AbortSignal.timeout(20)];
    const alive = setTimeout(() => {}, 5_000); // the signal's own timer does not keep the process alive
    for (const signal of signals) {
      await assert.rejects(withFreshCredentials(hanging, signal, credentials), expected);
    }
    clearTimeout(alive);
  });
});
