import { invalidArgument } from '../../protocol/index.ts';
import type { ChartFile, LoadedChart } from '../loaded-chart.ts';
import { entryPath } from './entry-name.ts';
import { gunzip } from './gunzip.ts';
import { type LoadContext, loadFiles } from './load-files.ts';
import { readTar } from './read-tar.ts';
import { TarType } from './tar-header.ts';
import { UnpackBudget } from './unpack-budget.ts';

export interface ArchiveLimits {
  /** Bytes of all archives together, the nested ones included, when unpacked. */
  readonly maxUnpackedBytes: number;
  /** Files in all archives together. */
  readonly maxEntries: number;
  /** Archives in archives. */
  readonly maxNestedArchives: number;
}

/**
 * Loads a packed chart (.tgz), with the charts packed inside it, as chartutil.LoadArchive of Helm 2.17 does.
 * @throws GatewayError INVALID_ARGUMENT when it is no chart, damaged or over a limit
 */
export function loadArchive(archive: Uint8Array, limits: ArchiveLimits): Promise<LoadedChart> {
  return loadWithBudget(archive, limits, new UnpackBudget(limits));
}

/** For a chart in a folder: loads the archives in its charts/. */
export function loadChartFiles(files: readonly ChartFile[], limits: ArchiveLimits): Promise<LoadedChart> {
  const budget = new UnpackBudget(limits);
  return loadFiles(files, loadContext(limits, budget, 0));
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
    takeYaml: bytes => budget.takeYaml(bytes),
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
