import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import { join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { invalidArgument } from '../../protocol/index.ts';
import type { ArchiveLimits } from '../archive/load-archive.ts';
import { UnpackBudget } from '../archive/unpack.ts';
import { readText } from '../chart/chart-text.ts';
import type { ChartFile } from '../chart/loaded-chart.ts';
import { type IgnoreRules, parseHelmIgnore } from './helmignore.ts';

interface Walk {
  /** No link may lead out of here. */
  readonly root: string;
  readonly ignores: IgnoreRules;
  readonly budget: UnpackBudget;
  readonly files: ChartFile[];
}

/** Folders in folders; also what ends a circle of links. */
const maxDepth = 64;

/**
 * Reads the files of a chart in a folder, without those that its .helmignore names (chartutil.LoadDir of Helm 2.17). Links are
 * followed inside `root`.
 * @throws GatewayError INVALID_ARGUMENT when there is no Chart.yaml, a link leads out, or a limit is passed
 */
export async function readChartFolder(
  chart: string,
  root: string,
  limits: ArchiveLimits,
): Promise<ChartFile[]> {
  const names = await readdir(chart);
  if (!names.includes('Chart.yaml')) throw invalidArgument('no Chart.yaml exists in directory');
  const budget = new UnpackBudget(limits);
  const ignoreFile = names.includes('.helmignore')
    ? await readInside(join(chart, '.helmignore'), root, budget)
    : Buffer.alloc(0);
  const ignores = parseHelmIgnore(readText(ignoreFile, '.helmignore'));
  const walk: Walk = { root, ignores, budget, files: [] };
  await walkFolder(walk, chart, '', 0);
  return walk.files;
}

async function walkFolder(walk: Walk, folder: string, below: string, depth: number): Promise<void> {
  if (depth > maxDepth) throw invalidArgument(`folders are nested deeper than ${maxDepth}`);
  for (const name of (await readdir(folder)).sort()) {
    const path = below === '' ? name : `${below}/${name}`;
    const real = await realpathInside(join(folder, name), walk.root);
    const entry = await stat(real);
    if (walk.ignores(path, entry.isDirectory())) continue;
    walk.budget.takeEntry();
    if (entry.isDirectory()) await walkFolder(walk, real, path, depth + 1);
    else walk.files.push({ name: path, data: await readInside(real, walk.root, walk.budget) });
  }
}

async function readInside(path: string, root: string, budget: UnpackBudget): Promise<Buffer> {
  const real = await realpathInside(path, root);
  const entry = await stat(real);
  if (!entry.isFile()) throw invalidArgument('the chart has something that is neither file nor folder');
  budget.takeBytes(entry.size);
  return readFile(real);
}

async function realpathInside(path: string, root: string): Promise<string> {
  const real = await realpath(path);
  if (!isInside(real, root)) throw invalidArgument('a link leads out of the chart folder');
  return real;
}

/** A chart of the gateway's folder; neither path has links in it. */
export interface LocalChart {
  readonly path: string;
  /** The folder that nothing may lead out of. */
  readonly root: string;
}

/** Whether a path without links is `root` or below it. */
export function isInside(path: string, root: string): boolean {
  const below = relative(root, path);
  return below === '' || (below !== '..' && !below.startsWith(`..${sep}`) && !below.startsWith(sep));
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
