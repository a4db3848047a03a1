/** `npm run bench [NAME...]`: runs the benchmarks, all or the named ones, one after the other. */
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { basename } from 'node:path';

/** An older checkout with its node_modules. */
const baseline = process.env.BASELINE;
/** Benchmarks of modules rather than of the program: the baseline's modules have their own. */
const ownBaseline = new Set(['charts', 'render']);
const helpers = new Set(['main']);
const names = globSync('*.ts', { cwd: import.meta.dirname })
  .map(file => basename(file, '.ts'))
  .filter(name => !helpers.has(name))
  .sort();
const wanted = process.argv.slice(2);
const unknown = wanted.filter(name => !names.includes(name));
if (unknown.length > 0) {
  console.error(`no benchmark ${unknown.join(', ')}: there are ${names.join(', ')}`);
  process.exit(1);
}
for (const name of wanted.length > 0 ? wanted : names) {
  console.log(`\n== ${name}`);
  const { run } = (await import(`./${name}.ts`)) as { run: () => Promise<void> };
  await run();
  if (baseline && ownBaseline.has(name)) {
    console.log(`-- ${name} of the baseline, by its own benchmark`);
    spawnSync(process.execPath, ['bench/main.ts', name], { cwd: baseline, stdio: 'inherit' });
  }
}
process.exit(0);
