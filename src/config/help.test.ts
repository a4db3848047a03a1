import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { helpText } from './help.ts';
import { allOptions } from './options/index.ts';

describe('--help', () => {
  const help = helpText();

  test('names every flag with its default and range', () => {
    for (const { option } of allOptions) assert.match(help, new RegExp(`\\n  --${option.flag}[, \\n]`));
    assert.match(help, /--drain-timeout DURATION\n[^-]*0s\s+to 1h; default 25s/);
  });

  test('fits a terminal of 100 columns', () => {
    for (const line of help.split('\n')) assert.ok(line.length <= 110, line);
  });
});
