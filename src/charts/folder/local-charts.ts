import { constants } from 'node:fs';
import { type FileHandle, open, readdir, realpath, stat } from 'node:fs/promises';
import { join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { invalidArgument } from '../../protocol/index.ts';
import { type ArchiveLimits, UnpackBudget } from '../archive/unpack.ts';
import type { ChartFile } from '../chart/chart.ts';
import { decodeText } from '../chart/chart-yaml.ts';
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
  const ignores = parseHelmIgnore(decodeText(ignoreFile, '.helmignore'));
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
  const data = await readFileInside(path, root, bytes => budget.takeBytes(bytes));
  if (data) return data;
  throw invalidArgument('the chart has something that is neither file nor folder');
}

/**
 * The content of a file below `root`; undefined where the path leads to a folder. The file is opened once, and what was
 * opened is checked: links may change while they are looked at.
 * @param admit is told the size before anything is read; throws where it is too large
 * @throws GatewayError INVALID_ARGUMENT when a link leads out, or it is neither file nor folder
 */
export async function readFileInside(
  path: string,
  root: string,
  admit: (bytes: number) => void,
): Promise<Buffer | undefined> {
  await realpathInside(path, root);
  // a pipe would keep the call waiting for its other end
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    if (!isInside(await pathOf(handle, path), root)) throw leadsOut();
    const entry = await handle.stat();
    if (entry.isDirectory()) return undefined;
    if (!entry.isFile()) throw invalidArgument('is neither file nor folder');
    admit(entry.size);
    const data = Buffer.alloc(entry.size);
    let length = 0;
    for (let read = -1; read !== 0 && length < data.length; length += read) {
      read = (await handle.read(data, length, data.length - length)).bytesRead;
    }
    return data.subarray(0, length);
  } finally {
    await handle.close();
  }
}

/** Where an open file is. Linux says so; of another system's file only that it is still the one at its path is known. */
async function pathOf(handle: FileHandle, path: string): Promise<string> {
  if (process.platform === 'linux') return realpath(`/proc/self/fd/${handle.fd}`);
  const [real, opened] = [await realpath(path), await handle.stat()];
  const { dev, ino } = await stat(real);
  if (dev !== opened.dev || ino !== opened.ino) throw leadsOut();
  return real;
}

async function realpathInside(path: string, root: string): Promise<string> {
  const real = await realpath(path);
  if (!isInside(real, root)) throw leadsOut();
  return real;
}

function leadsOut(): Error {
  return invalidArgument('a link leads out of the chart folder');
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
