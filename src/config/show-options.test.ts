import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { loadConfig } from './config.ts';
import { allOptions } from './options.ts';
import { formatConfig, helpText } from './show-options.ts';
import { maskUrlCredentials } from './units.ts';

describe('--help', () => {
  const help = helpText();

  test('names every flag with its default and range', () => {
    for (const { option } of allOptions) assert.match(help, new RegExp(`\\n  --?${option.flag}[, \\n]`));
    assert.match(help, /--drain-timeout DURATION\n[^-]*0s\s+to\s+1h;\s+default\s+25s/);
  });

  test('says what an option needs', () => {
    assert.match(help, /--cors-origin-host HOST[^\n]*\n[^-]*needs\s+--enable-cors/);
    assert.match(help, /--secure-addr HOST:PORT\n[^-]*ignored with a warning without\s+--tls-cert-file/);
  });

  test('has the same in a table for docs/flags.md', () => {
    const tables = readFileSync('docs/flags.md', 'utf8');
    for (const { option } of allOptions)
      assert.match(tables, new RegExp(`^\\| \`--?${option.flag}[, \`]`, 'm'));
    assert.match(tables, /\| `--max-streams N` \| `256` \| Maximum .*\(1 to 100000\) \|/);
  });

  test('fits a terminal of 100 columns', () => {
    for (const line of help.split('\n')) assert.ok(line.length <= 110, line);
  });
});

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
    assert.deepEqual(again.warnings, []);
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
    ['//a:b@host/x', '//***@host/x'],
    ['"https:\\/\\/a:b@host\\/x"', '"https:\\/\\/***@host\\/x"'],
    ['https:a:b@host', 'https:***@host'],
    ['https:\\\\a:b@host', 'https:\\\\***@host'],
    ['https://a:p/w@host/x', 'https://***@host/x'],
    ['https://host:80/a@1', 'https://host:80/a@1'],
    ['https://[::1]:80/a@1', 'https://[::1]:80/a@1'],
    ['oci://host/web@sha256:00', 'oci://host/web@sha256:00'],
  ];
  for (const [before, after] of cases) test(before, () => assert.equal(maskUrlCredentials(before), after));

  test('stays quick on texts made to slow it down', () => {
    assert.equal(maskUrlCredentials('a'.repeat(200_000)).length, 200_000);
    assert.equal(maskUrlCredentials('a://'.repeat(50_000)).length, 200_000);
  });
});
