/** Adds repositories to a file, one after the other, and tells each one's name when it is kept: FILE PREFIX COUNT */
import { RepositoryFile } from '../../src/charts/repository/repository-file.ts';

const [, , path = '', prefix = '', count = ''] = process.argv;
const file = new RepositoryFile(path);
for (let number = 0; number < Number(count); number++) {
  const name = `${prefix}${number}`;
  await file.change(before => [...before, { name, url: `https://${name}.example`, credentials: {} }]);
  process.send?.(name);
}
process.disconnect?.();
