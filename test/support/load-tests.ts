import { globSync } from 'node:fs';
import { createRequire } from 'node:module';
import { test } from 'node:test';

/**
 * Runs the test files that stand beside the code in this one process: a process of its own for each would spend most of
 * its time on starting Node and loading the rooms. All are loaded before the first test starts, which none may await at its
 * top level.
 * @param patterns from the top of the checkout, as for `globSync`
 */
export function loadTests(...patterns: readonly string[]): void {
  const root = new URL('../../', import.meta.url);
  const files = globSync(patterns, { cwd: root, exclude: path => path.endsWith('node_modules') }).sort();
  const load = createRequire(root);
  for (const file of files) load(`./${file}`);
  if (files.length === 0)
    test(`${patterns}`, () => Promise.reject(new Error('no test file has such a name')));
}
