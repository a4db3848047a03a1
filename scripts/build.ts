/**
 * Compiles the gateway into `dist`: JavaScript only. The renderer's package goes to `dist/node_modules`, where the
 * compiled sandbox finds it by its name, because it is on no registry.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, readFileSync, rmSync } from 'node:fs';

process.chdir(new URL('..', import.meta.url).pathname);
const workspace = 'packages/helm-render';
const read = (folder: string) => JSON.parse(readFileSync(`${folder}/package.json`, 'utf8'));

const { name, dependencies } = read(workspace);
for (const [dependency, range] of Object.entries(dependencies)) {
  if (read('.').dependencies[dependency] === range) continue;
  throw new Error(
    `package.json must list ${dependency} ${range}, as ${workspace} does: npm installs only what is there`,
  );
}

rmSync('dist', { recursive: true, force: true });
execFileSync(process.execPath, [`${workspace}/scripts/build.ts`], { stdio: 'inherit' });
execFileSync('tsc', ['-p', 'tsconfig.build.json'], { stdio: 'inherit' });
cpSync(`${workspace}/dist`, `dist/node_modules/${name}`, {
  recursive: true,
  filter: path => !/\.d\.ts$|\/README\.md$/.test(path),
});
