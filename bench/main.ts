/** `npm run bench [NAME...]`: runs the benchmarks, all or the named ones, one after the other. */
import { globSync } from 'node:fs';
import { basename } from 'node:path';

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
}
process.exit(0);
