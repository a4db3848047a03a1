import { realpath } from 'node:fs/promises';
import { relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A chart of the gateway's folder; neither path has links in it. */
export interface LocalChart {
  readonly path: string;
  /** The folder that nothing may lead out of. */
  readonly root: string;
}

/** Whether a path without links is `root` or below it. */
export function isInside(path: string, root: string): boolean {
  const way = relative(root, path);
  return way === '' || (way !== '..' && !way.startsWith(`..${sep}`) && !way.startsWith(sep));
}

/**
 * The real path of a chart named by a path below `root`, by an absolute path or by a file: URL; undefined where there is nothing or it
 * is outside, links followed.
 */
export async function findLocalChart(name: string, root: string): Promise<LocalChart | undefined> {
  if (name.includes('\0')) return undefined;
  try {
    const realRoot = await realpath(root);
    const path = await realpath(resolve(realRoot, name.startsWith('file:') ? fileURLToPath(name) : name));
    return isInside(path, realRoot) ? { path, root: realRoot } : undefined;
  } catch {
    return undefined;
  }
}
