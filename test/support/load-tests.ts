import { globSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after, before, describe, test } from 'node:test';

/** For one test file, its hooks included, and for each of its tests that sets no bound of its own. */
const fileTimeoutMs = 120_000;

const root = new URL('../../', import.meta.url);
const load = createRequire(root);

/** The file whose tests run. */
let running: string | undefined;
process.on('exit', () => {
  if (running === undefined) return;
  console.error(`the process ended while the tests of ${running} ran`);
  process.exitCode = 1;
});

/**
 * Runs test files one after the other in this one process: a process of its own for each would spend most of its time on
 * starting Node and loading the rooms. Each file is a suite with its name, and its hooks are for its tests only. All are
 * loaded before the first test starts, so none may await at its top level.
 * @param patterns from the top of the checkout, as for `globSync`
 */
export function loadTests(...patterns: readonly string[]): void {
  const files = testFiles(patterns);
  for (const file of files) describe(file, { timeout: fileTimeoutMs }, () => loadFile(file));
  if (files.length === 0)
    test(`${patterns}`, () => Promise.reject(new Error('no test file has such a name')));
}

/** The files, from the top of the checkout, that patterns name; sorted, each once. */
export function testFiles(patterns: readonly string[]): string[] {
  return globSync(patterns, { cwd: root, exclude: path => path.endsWith('node_modules') }).sort();
}

function loadFile(file: string): void {
  before(() => {
    running = file;
  });
  load(`./${file}`);
  after(() => {
    running = undefined;
  });
}
