import { realpath } from 'node:fs/promises';
import { relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Whether a path without links is `root` or below it. */
export function isInside(path: string, root: string): boolean {
  const way = relative(root, path);
  return way === '' || (way !== '..' && !way.startsWith(`..${sep}`) && !way.startsWith(sep));
}

/**
 * The real path of a chart named by a path below `root`, by an absolute path or by a file: URL; undefined where there is nothing or it
 * is outside, links followed.
 */
export async function findLocalChart(
  name: string,
  root: string,
): Promise<{ path: string; root: string } | undefined> {
  if (name.includes('\0')) return undefined;
  try {
    const realRoot = await realpath(root);
    const path = await realpath(resolve(realRoot, name.startsWith('file:') ? fileURLToPath(name) : name));
    return isInside(path, realRoot) ? { path, root: realRoot } : undefined;
  } catch {
    return undefined;
  }
}
