import assert from 'node:assert/strict';
import { test } from 'node:test';
import { suggestion } from './suggest.ts';

test('suggestion names the nearest known name, if it is near', () => {
  assert.equal(suggestion('adr', ['addr', 'help']), '; did you mean addr?');
  assert.equal(suggestion('connecter', ['connector', 'config']), '; did you mean connector?');
  assert.equal(suggestion('adr', ['addr'], '--'), '; did you mean --addr?');
  assert.equal(suggestion('zzzzzz', ['addr', 'help']), '');
  assert.equal(suggestion('x'.repeat(1000), ['x'.repeat(1000)]), '');
});
