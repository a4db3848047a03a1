import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { runCommand } from './pod-script.ts';

const shell = (script: string) => runCommand(['/bin/sh', '-c', script]);

test('a shell script of echo and exit is followed', () => {
  const cases: [script: string, exitCode: number, output: string][] = [
    ['exit 0', 0, ''],
    ['exit 3', 3, ''],
    ['echo checked; exit 0', 0, 'checked\n'],
    ['echo one\necho "two  words" \'and $three\' \\"', 0, 'one\ntwo  words and $three "\n'],
    ['echo -n a; echo b', 0, 'ab\n'],
    ['false', 1, ''],
    ['false; exit', 1, ''],
    ['false || echo saved', 0, 'saved\n'],
    ['false && echo never; exit', 1, ''],
    ['true && echo yes || exit 2', 0, 'yes\n'],
    ['wget -qO- http://web:80/ | grep ok', 0, ''],
    ['exit 256', 0, ''],
    ['echo before; exit 7; echo after', 7, 'before\n'],
    ['', 0, ''],
  ];
  for (const [script, exitCode, output] of cases)
    assert.deepEqual(shell(script), { exitCode, output }, script);
});

test('without a shell the program decides', () => {
  assert.equal(runCommand(['/bin/false']).exitCode, 1);
  assert.equal(runCommand(['/bin/true']).exitCode, 0);
  assert.equal(runCommand(['curl', '-c', 'exit 1']).exitCode, 0);
  assert.equal(runCommand([]).exitCode, 0);
  assert.equal(runCommand(['bash', '-c']).exitCode, 0);
});

test('no script hangs or throws', () => {
  const pieces = fc.constantFrom('"', "'", '\\', ';', '&&', '||', '|', '\n', ' ', 'echo', 'exit', '1', 'a');
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 200 }), words => {
      const { exitCode } = shell(words.join(''));
      assert.ok(exitCode >= 0 && exitCode <= 255);
    }),
    { numRuns: 300 },
  );
});

test('an endless row of quotes costs no more than its length', { timeout: 5_000 }, () => {
  assert.equal(shell(`${'\\'.repeat(32 * 1024)}'${'"a'.repeat(32 * 1024)}`).exitCode, 0);
});
