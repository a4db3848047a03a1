/**
 * Compiles the package into `dist`, which is complete in itself: `npm pack ./dist`. In the checkout `exports` leads to
 * the sources; Node.js runs no TypeScript below node_modules, so there it leads to the compiled files.
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';

process.chdir(new URL('..', import.meta.url).pathname);
rmSync('dist', { recursive: true, force: true });
execFileSync('tsc', ['-p', 'tsconfig.build.json'], { stdio: 'inherit' });

const {
  private: _private,
  scripts: _scripts,
  ...manifest
} = JSON.parse(readFileSync('package.json', 'utf8'));
const compiled = (source: string) => source.replace('./src/', './').replace(/\.ts$/, '');
manifest.exports = Object.fromEntries(
  Object.entries<string>(manifest.exports).map(([name, source]) => [
    name,
    { types: `${compiled(source)}.d.ts`, default: `${compiled(source)}.js` },
  ]),
);
writeFileSync('dist/package.json', `${JSON.stringify(manifest, null, 2)}\n`);
copyFileSync('README.md', 'dist/README.md');
copyFileSync('../../LICENSE', 'dist/LICENSE');
