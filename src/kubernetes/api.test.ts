import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type ClusterAccess, type RequestSettings, withFreshCredentials } from './api.ts';

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
      assert.equal(await withFreshCredentials(access, never, credentials, () => false), 1);
    }
  });

  test('makes one more attempt with fresh ones, and no third', async () => {
    let attempts = 0;
    const attempt = (settings: RequestSettings) => {
      attempts++;
      return credentials(settings);
    };
    assert.equal(await withFreshCredentials(createAccess(), never, attempt, () => true), 2);
    assert.equal(attempts, 2);
  });

  test('does not repeat an attempt that throws, but does not keep what it used', async () => {
    const access = createAccess();
    const failing = async () => {
      throw new Error('no');
    };
    await assert.rejects(
      withFreshCredentials(access, never, failing, () => false),
      { message: 'no' },
    );
    assert.equal(await withFreshCredentials(access, never, credentials, () => false), 2);
  });

  test('does not wait for ever for credentials', async () => {
    const hanging = { ...createAccess(), settings: () => new Promise<RequestSettings>(() => {}) };
    const expected = { code: 14, message: /^getting credentials took too long/ };
    const signals = [AbortSignal.abort(), AbortSignal.timeout(20)];
    const alive = setTimeout(() => {}, 5_000); // the signal's own timer does not keep the process alive
    for (const signal of signals) {
      await assert.rejects(
        withFreshCredentials(hanging, signal, credentials, () => false),
        expected,
      );
    }
    clearTimeout(alive);
  });
});
