import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { allOptions } from '../src/config/index.ts';

const flags = new Set(allOptions.flatMap(({ option }) => [option.flag, ...option.aliases]));

/** The commands of a document. */
function shellOf(file: string): string {
  const text = readFileSync(file, 'utf8');
  return [...text.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(match => match[1] ?? '').join('\n');
}

for (const file of [
  'README.md',
  'docs/deploy.md',
  'docs/real-cluster.md',
  'docs/security.md',
  'docs/swift.md',
]) {
  describe(file, () => {
    test('has commands that a shell can read', () => {
      assert.doesNotThrow(() => execFileSync('bash', ['-n'], { input: shellOf(file) }));
    });

    test('gives the gateway no flag that it does not have', () => {
      const text = readFileSync(file, 'utf8');
      const commands = text.split('\n').filter(line => /^npm start -- |src\/main\.ts --/.test(line));
      const quoted = [...text.matchAll(/`(--[a-z_-]+)(=[^`]*)?`/g)].map(match => match[1] ?? '');
      const given = commands.flatMap(line => line.match(/--[a-z][a-z-]*/g) ?? []);
      assert.ok(given.length + quoted.length > 0);
      for (const flag of [...given, ...quoted]) assert.ok(flags.has(flag.slice(2)), `there is no ${flag}`);
    });

    test('names no file of the project that is not there', () => {
      const text = readFileSync(file, 'utf8');
      for (const [path] of text.matchAll(/(?<![\w/])(manifests|charts)\/[\w./-]*[\w-]/g)) {
        assert.ok(existsSync(path), `there is no ${path}`);
      }
    });
  });
}
