import assert from 'node:assert/strict';
import { test } from 'node:test';
import { validateClientVersion } from './client-version.ts';

test('clients of the same major version that are not newer are served', () => {
  for (const client of [
    'v2.17.0',
    '2.17.0',
    'v2.14+unreleased',
    'v2.0.0',
    'v2.16.12',
    'v2.17.3',
    'v3.0+unreleased',
  ])
    validateClientVersion(client);
});

test('other clients are refused in Tiller’s words', () => {
  for (const client of ['', 'v2.18.0', 'v3.0.0', 'v1.9.0', 'two', 'v2.18.0-rc1']) {
    assert.throws(() => validateClientVersion(client), {
      code: 2,
      message: `incompatible versions client[${client}] server[v2.17.0]`,
    });
  }
});
