/** `npm test` runs the files of `test/suite/`, and these load every other test file: none may be forgotten or run twice. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { testFiles } from './support/load-tests.ts';

test('each test file is loaded by one file of test/suite/', () => {
  const entries = testFiles(['test/suite/*.test.ts']);
  const loaded = entries.flatMap(entry => {
    const patterns = readFileSync(new URL(`../${entry}`, import.meta.url), 'utf8').match(
      /(?<=')[^']+\.test\.ts(?=')/g,
    );
    return testFiles(patterns ?? []);
  });
  const all = testFiles(['**/*.test.ts']).filter(file => !entries.includes(file));
  assert.deepEqual(loaded.sort(), all);
});
