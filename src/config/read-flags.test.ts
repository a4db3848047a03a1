import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { duration, flag, list } from './option.ts';
import { readFlags } from './read-flags.ts';

const options = [
  duration(
    { flag: 'wait-time', aliases: ['patience', 'w'], summary: 'W.', default: '1s' },
    { min: '0s', max: '1m' },
  ),
  flag({ flag: 'enable-cors', summary: 'C.' }),
  list({ flag: 'host', summary: 'H.' }),
];

function texts(...argv: string[]): Record<string, readonly string[]> {
  const { byFlag, mistakes } = readFlags(argv, options);
  assert.deepEqual(mistakes, []);
  return Object.fromEntries([...byFlag].map(([name, setting]) => [name, setting.texts]));
}

describe('readFlags', () => {
  test('reads a value behind a space and behind =', () => {
    assert.deepEqual(texts('--wait-time', '5s'), { 'wait-time': ['5s'] });
    assert.deepEqual(texts('--wait-time=5s'), { 'wait-time': ['5s'] });
    assert.deepEqual(texts('--host=a=b'), { host: ['a=b'] });
  });

  test('files an alias under the name itself', () => {
    assert.deepEqual(texts('--patience=5s'), { 'wait-time': ['5s'] });
    assert.deepEqual(texts('-w', '5s'), { 'wait-time': ['5s'] });
  });

  test('takes the last of several, and all of a repeatable one', () => {
    assert.deepEqual(texts('--wait-time=1s', '--wait-time=2s'), { 'wait-time': ['2s'] });
    assert.deepEqual(texts('--host', 'a', '--host', 'b'), { host: ['a', 'b'] });
  });

  test('reads booleans without a value, with one, and with no-', () => {
    assert.deepEqual(texts('--enable-cors'), { 'enable-cors': ['true'] });
    assert.deepEqual(texts('--enable-cors=false'), { 'enable-cors': ['false'] });
    assert.deepEqual(texts('--no-enable-cors'), { 'enable-cors': ['false'] });
  });

  test("passes over the first word run, which swift's manifests have", () => {
    assert.deepEqual(texts('run', '--enable-cors'), { 'enable-cors': ['true'] });
  });

  const wrong: [string[], string][] = [
    [['--wait-tim=1s'], '--wait-tim is not a flag; did you mean --wait-time?'],
    [['--something-else'], '--something-else is not a flag'],
    [['--no-wait-time'], '--no-wait-time is not a flag'],
    [['--wait-time'], '--wait-time needs a value: --wait-time DURATION'],
    [['--wait-time', '--enable-cors'], '--wait-time needs a value: --wait-time DURATION'],
    [['--no-enable-cors=true'], '--no-enable-cors needs a value: --no-enable-cors '],
    [['serve'], '"serve" is not a flag: flags start with --'],
  ];
  for (const [argv, message] of wrong) {
    test(`says what is wrong with ${argv.join(' ')}`, () => {
      assert.ok(
        readFlags(argv, options).mistakes[0]?.startsWith(message),
        readFlags(argv, options).mistakes[0],
      );
    });
  }

  test('does not take the value of an unknown flag for another mistake, nor repeat it', () => {
    assert.deepEqual(readFlags(['--passwort', 'hunter2', '--enable-cors'], options).mistakes, [
      '--passwort is not a flag',
    ]);
  });
});
