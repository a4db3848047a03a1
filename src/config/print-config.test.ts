import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { loadConfig } from './load-config.ts';
import { maskUrlCredentials } from './mask.ts';
import { formatConfig } from './print-config.ts';

describe('formatConfig', () => {
  test('gives a file that loads as the same configuration', async t => {
    const folder = mkdtempSync(join(tmpdir(), 'config-'));
    t.after(() => rmSync(folder, { recursive: true }));
    const argv = [
      '--addr=[::1]:80',
      '--cors-origin-host=a.example,b.example:81',
      '--drain-timeout=90s',
      '--enable-cors',
    ];
    const config = await loadConfig({ argv, environment: {} });
    const file = join(folder, 'printed.yaml');
    writeFileSync(file, formatConfig(config));
    const again = await loadConfig({ argv: ['--config', file], environment: {} });
    assert.deepEqual({ ...again, program: config.program }, config);
  });

  test('masks credentials in URLs', async () => {
    const argv = ['--tiller-endpoint=https://user:hunter2@tiller:44134'];
    const printed = formatConfig(await loadConfig({ argv, environment: {} }));
    assert.match(printed, /tiller-endpoint: "https:\/\/\*\*\*@tiller:44134"/);
    assert.doesNotMatch(printed, /hunter2/);
  });
});

describe('maskUrlCredentials', () => {
  const cases: [string, string][] = [
    ['https://a:b@host/x', 'https://***@host/x'],
    ['see http://tok@h and https://u:p@i.', 'see http://***@h and https://***@i.'],
    ['https://host/path@x', 'https://host/path@x'],
    ['https://a:p@ss@host', 'https://***@host'],
    ['mail a@b', 'mail a@b'],
  ];
  for (const [before, after] of cases) test(before, () => assert.equal(maskUrlCredentials(before), after));

  test('stays quick on texts made to slow it down', () => {
    assert.equal(maskUrlCredentials('a'.repeat(200_000)).length, 200_000);
    assert.equal(maskUrlCredentials('a://'.repeat(50_000)).length, 200_000);
  });
});
