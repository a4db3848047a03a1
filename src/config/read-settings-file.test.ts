import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { duration, flag, list, text } from './option.ts';
import { parseFileSettings, readFileSettings } from './read-settings.ts';

const options = [
  duration('drain-timeout', 'D.', { range: ['0s', '1m'] }),
  flag('enable-cors', 'C.'),
  list('host', 'H.', { aliases: ['hosts'] }),
  text('config', 'F.'),
];
const folder = mkdtempSync(join(tmpdir(), 'config-'));
after(() => rmSync(folder, { recursive: true }));

async function mistakesOf(content: string): Promise<readonly string[]> {
  return (await parseFileSettings('g.yaml', content, options)).mistakes;
}

describe('the configuration file', () => {
  test('gives values as they are written, with their lines', async () => {
    const content = '# a comment\ndrain-timeout: 30s\nenable-cors: true\nhosts: [a, "b:1"]\n';
    const { byFlag, mistakes } = await parseFileSettings('g.yaml', content, options);
    assert.deepEqual(mistakes, []);
    assert.deepEqual(Object.fromEntries(byFlag), {
      'drain-timeout': { texts: ['30s'], where: 'g.yaml:2: drain-timeout' },
      'enable-cors': { texts: ['true'], where: 'g.yaml:3: enable-cors' },
      host: { texts: ['a', 'b:1'], where: 'g.yaml:4: hosts' },
    });
  });

  test('may be empty, and a null value is not set', async () => {
    assert.deepEqual(await mistakesOf(''), []);
    const { byFlag } = await parseFileSettings('g.yaml', 'drain-timeout:\n', options);
    assert.deepEqual(byFlag.get('drain-timeout')?.texts, ['']);
  });

  test('names every mistake with its line', async () => {
    assert.deepEqual(await mistakesOf('drain-timeot: 1s\nconfig: x\nenable-cors: [true]\nhost: {a: b}\n'), [
      'g.yaml:1: drain-timeot is not an option; did you mean drain-timeout?',
      'g.yaml:2: config is not an option',
      'g.yaml:3: enable-cors: expected a single value',
      'g.yaml:4: host: expected a text or a list of texts',
    ]);
    assert.deepEqual(await mistakesOf('- a\n'), ['g.yaml:1: expected a map of options by their flag names']);
    assert.match((await mistakesOf('a: "\n'))[0] ?? '', /^g\.yaml:\d: /);
  });

  test('is refused where it cannot be read or is too large', async () => {
    const missing = await readFileSettings(join(folder, 'none'), options);
    assert.match(missing.mistakes[0] ?? '', /none: cannot be read: ENOENT$/);
    writeFileSync(join(folder, 'large'), Buffer.alloc(1024 * 1024 + 1, '#'));
    assert.match((await readFileSettings(join(folder, 'large'), options)).mistakes[0] ?? '', /larger than/);
  });
});
