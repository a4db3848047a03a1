import { posix } from 'node:path';
import { invalidArgument } from '../../protocol/index.ts';
import { decodeUtf8 } from '../chart/chart-text.ts';
import type { ChartFile, LoadedChart } from '../chart/loaded-chart.ts';
import { type LoadContext, loadFiles } from './load-files.ts';
import { readTar } from './read-tar.ts';
import { TarType } from './tar-header.ts';
import { gunzip, UnpackBudget } from './unpack.ts';

export interface ArchiveLimits {
  /** Bytes of all archives together, the nested ones included, when unpacked. */
  readonly maxUnpackedBytes: number;
  /** Files in all archives together. */
  readonly maxEntries: number;
  /** Archives in archives. */
  readonly maxNestedArchives: number;
}

/**
 * Loads a packed chart (.tgz) or the files of one in a folder, with the charts packed inside, as chartutil.LoadArchive
 * and LoadDir of Helm 2.17 do.
 * @throws GatewayError INVALID_ARGUMENT when it is no chart, damaged or over a limit; what the budget throws
 */
export function loadChart(
  content: Uint8Array | readonly ChartFile[],
  limits: ArchiveLimits,
  budget = new UnpackBudget(limits),
): Promise<LoadedChart> {
  if (content instanceof Uint8Array) return loadWithBudget(content, limits, budget);
  return loadFiles(content, loadContext(limits, budget, 0));
}

async function loadWithBudget(
  archive: Uint8Array,
  limits: ArchiveLimits,
  budget: UnpackBudget,
  archives = 0,
  depth = 0,
): Promise<LoadedChart> {
  const files = unpackFiles(await gunzip(archive, budget), budget);
  return loadFiles(files, loadContext(limits, budget, archives), depth);
}

function loadContext(limits: ArchiveLimits, budget: UnpackBudget, archives: number): LoadContext {
  return {
    loadNested(nested, depth) {
      if (archives >= limits.maxNestedArchives) {
        throw invalidArgument(`archives are nested deeper than ${limits.maxNestedArchives}`);
      }
      return loadWithBudget(nested, limits, budget, archives + 1, depth);
    },
    takeYaml: data => budget.takeYaml(data),
  };
}

/** Links and devices become empty files, as they do in Helm. */
function unpackFiles(tar: Buffer, budget: UnpackBudget): ChartFile[] {
  const files: ChartFile[] = [];
  for (const entry of readTar(tar)) {
    budget.takeEntry();
    if (entry.isFolder || entry.type === TarType.PAX_GLOBAL) continue;
    files.push({ name: entryPath(entry.name), data: entry.data });
  }
  if (files.length === 0) throw invalidArgument('no files in chart archive');
  return files;
}

const drive = /^[a-zA-Z]:\//;

/**
 * The path of an archive's entry below the chart's folder, which is the first part of its name. A name with a backslash was
 * written on Windows and is divided there. The rules and their order are chartutil.loadArchiveFiles of Helm 2.17.
 * @throws GatewayError INVALID_ARGUMENT for names that are absolute, climb out, carry a drive letter, have no folder or are not
 * UTF-8 (which neither protobuf nor Tiller takes)
 */
export function entryPath(bytes: Uint8Array): string {
  const name = decodeName(bytes);
  const delimiter = name.includes('\\') ? '\\' : '/';
  const below = name.split(delimiter).slice(1).join('/');
  const shown = JSON.stringify(name.slice(0, 200));
  if (below.startsWith('/')) throw invalidArgument(`chart illegally contains absolute paths: ${shown}`);
  const path = cleanPath(below);
  if (path === '.') throw invalidArgument(`chart illegally contains empty path: ${shown}`);
  if (path.startsWith('..')) throw invalidArgument(`chart illegally references parent directory: ${shown}`);
  if (drive.test(path)) throw invalidArgument(`chart contains illegally named files: ${shown}`);
  return path;
}

function decodeName(bytes: Uint8Array): string {
  const name = decodeUtf8(bytes);
  if (name !== undefined) return name;
  const shown = JSON.stringify(Buffer.from(bytes.subarray(0, 200)).toString('latin1'));
  throw invalidArgument(`the name of a file in the chart is not UTF-8: ${shown}`);
}

/** Go's path.Clean: as short as it can be, without a slash at the end. */
function cleanPath(path: string): string {
  const normal = posix.normalize(path);
  return normal.length > 1 && normal.endsWith('/') ? normal.slice(0, -1) : normal;
}
