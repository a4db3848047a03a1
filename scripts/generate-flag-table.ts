/** Writes docs/flags.md from the option tables. `--check` writes nothing and fails when the file is stale. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { flagTables } from '../src/config/index.ts';

const file = 'docs/flags.md';
const text = flagTables();

if (!process.argv.includes('--check')) writeFileSync(file, text);
else if (!existsSync(file) || readFileSync(file, 'utf8') !== text) {
  console.error(`${file} is stale: npm run generate`);
  process.exit(1);
}
