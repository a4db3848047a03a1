import { posix } from 'node:path';
import { GatewayError, invalidArgument } from '../../protocol/index.ts';
import { type ChartFile, type LoadedChart, parseChartFile } from '../chart/chart.ts';
import { decodeText, decodeUtf8 } from '../chart/chart-yaml.ts';
import { readTar, type TarEntry, TarType } from './read-tar.ts';
import { type ArchiveLimits, gunzip, UnpackBudget } from './unpack.ts';

type LoadLimits = ArchiveLimits & {
  /** Refuses links, devices and names that climb anywhere, which Helm empties or cuts: for archives that are kept. */
  readonly isStrict?: boolean;
};

interface Load {
  readonly limits: LoadLimits;
  readonly budget: UnpackBudget;
  readonly archives: number;
}

/**
 * Loads a packed chart (.tgz) or the files of one in a folder, with the charts packed inside, as chartutil.LoadArchive
 * and LoadDir of Helm 2.17 do.
 * @throws GatewayError INVALID_ARGUMENT when it is no chart, damaged or over a limit; what the budget throws
 */
export function loadChart(
  content: Uint8Array | readonly ChartFile[],
  limits: LoadLimits,
  budget = new UnpackBudget(limits),
): Promise<LoadedChart> {
  const load = { limits, budget, archives: 0 };
  return content instanceof Uint8Array ? loadArchive(content, load, 0) : loadFiles(content, load, 0);
}

async function loadArchive(archive: Uint8Array, load: Load, depth: number): Promise<LoadedChart> {
  return loadFiles(await readChartFiles(archive, load.budget, load.limits.isStrict), load, depth);
}

/**
 * The files of a packed chart as they are, whatever they say; charts in it stay packed. Links and devices become empty files, as
 * they do in Helm, or are refused.
 * @throws GatewayError INVALID_ARGUMENT when it is no archive of a chart, damaged or over a limit; what the budget throws
 */
export async function readChartFiles(
  archive: Uint8Array,
  budget: UnpackBudget,
  isStrict = false,
): Promise<ChartFile[]> {
  const files: ChartFile[] = [];
  for (const entry of readTar(await gunzip(archive, budget))) {
    budget.takeEntry();
    if (isStrict) requirePlain(entry);
    if (entry.isFolder || entry.type === TarType.PAX_GLOBAL) continue;
    files.push({ name: entryPath(entry.name), data: entry.data });
  }
  if (files.length === 0) throw invalidArgument('no files in chart archive');
  return files;
}

/** @throws GatewayError INVALID_ARGUMENT for what is neither file nor folder, and for a name outside the archive's own folder */
function requirePlain({ name, type }: TarEntry): void {
  const kind = oddKinds[type];
  const isOutside = /^[/\\]|(?:^|[/\\])\.\.(?:[/\\]|$)/.test(name.toString('latin1'));
  if (kind === undefined && !isOutside) return;
  const shown = JSON.stringify(name.toString('utf8', 0, 200));
  throw invalidArgument(
    kind ? `the archive has ${kind}: ${shown}` : `a name in the archive leads out of it: ${shown}`,
  );
}

const oddKinds: Readonly<Record<string, string>> = {
  [TarType.HARD_LINK]: 'a hard link',
  [TarType.SYMBOLIC_LINK]: 'a symbolic link',
  [TarType.CHARACTER_DEVICE]: 'a device',
  [TarType.BLOCK_DEVICE]: 'a device',
  [TarType.FIFO]: 'a pipe',
};

/**
 * The path of an archive's entry below the chart's folder, which is the first part of its name. A name with a backslash was
 * written on Windows and is divided there. The rules and their order are chartutil.loadArchiveFiles of Helm 2.17.
 * @throws GatewayError INVALID_ARGUMENT for names that are absolute, climb out, carry a drive letter, have no folder or are not
 * UTF-8 (which neither protobuf nor Tiller takes)
 */
function entryPath(bytes: Uint8Array): string {
  const name = decodeUtf8(bytes);
  if (name === undefined) {
    const odd = JSON.stringify(Buffer.from(bytes.subarray(0, 200)).toString('latin1'));
    throw invalidArgument(`the name of a file in the chart is not UTF-8: ${odd}`);
  }
  const delimiter = name.includes('\\') ? '\\' : '/';
  const below = name.split(delimiter).slice(1).join('/');
  const shown = JSON.stringify(name.slice(0, 200));
  if (below.startsWith('/')) throw invalidArgument(`chart illegally contains absolute paths: ${shown}`);
  const path = cleanPath(below);
  if (path === '.') throw invalidArgument(`chart illegally contains empty path: ${shown}`);
  if (path.startsWith('..')) throw invalidArgument(`chart illegally references parent directory: ${shown}`);
  if (/^[a-zA-Z]:\//.test(path)) throw invalidArgument(`chart contains illegally named files: ${shown}`);
  return path;
}

/** Go's path.Clean: as short as it can be, without a slash at the end. */
function cleanPath(path: string): string {
  const normal = posix.normalize(path);
  return normal.length > 1 && normal.endsWith('/') ? normal.slice(0, -1) : normal;
}

/** The files that are read as YAML here or later on. */
const yamlFiles: readonly string[] = ['Chart.yaml', 'values.yaml', 'requirements.yaml'];

/** Charts inside charts, folders and archives together; bounds the recursion, since names can be long. */
const maxDepth = 32;

/**
 * Sorts a chart's files into what Tiller is sent (chartutil.LoadFiles of Helm 2.17): Chart.yaml, values.yaml, templates/,
 * charts/ (folders and archives), and everything else as files.
 * @throws GatewayError INVALID_ARGUMENT when the files are no chart
 */
async function loadFiles(all: readonly ChartFile[], load: Load, depth: number): Promise<LoadedChart> {
  if (depth > maxDepth) throw invalidArgument(`charts are nested deeper than ${maxDepth}`);
  for (const { name, data } of all) if (yamlFiles.includes(name)) load.budget.takeYaml(data);
  let chartFile: ReturnType<typeof parseChartFile> | undefined;
  let values: string | undefined;
  const templates: ChartFile[] = [];
  const files: ChartFile[] = [];
  const subcharts: ChartFile[] = [];
  for (const file of all) {
    const { name, data } = file;
    if (name === 'Chart.yaml') chartFile = parseChartFile(data);
    else if (name === 'values.toml') throw invalidArgument('values.toml is illegal as of 2.0.0-alpha.2');
    else if (name === 'values.yaml') values = decodeText(data, 'values.yaml');
    else if (name.startsWith('templates/')) templates.push(file);
    else if (name.startsWith('charts/') && goExtension(name) !== '.prov')
      subcharts.push({ name: name.slice('charts/'.length), data });
    else files.push(file);
  }
  if (!chartFile) throw invalidArgument('chart metadata (Chart.yaml) missing');
  const dependencies = await loadSubcharts(subcharts, chartFile.metadata.name, load, depth + 1);
  return { ...chartFile, templates, dependencies, values, files };
}

/** Names that start with `.` or `_` are left out, as Helm does. */
async function loadSubcharts(
  files: readonly ChartFile[],
  parent: string,
  load: Load,
  depth: number,
): Promise<LoadedChart[]> {
  const named = files.filter(({ name }) => !/^[._]/.test(name));
  const dependencies: LoadedChart[] = [];
  for (const [name, contents] of Map.groupBy(named, file => file.name.split('/', 1)[0] ?? '')) {
    try {
      dependencies.push(await loadSubchart(name, contents, parent, load, depth));
    } catch (cause) {
      if (!(cause instanceof GatewayError)) throw cause;
      const message = `error unpacking ${name} in ${parent}: ${cause.message}`;
      throw new GatewayError(cause.code, message, { cause });
    }
  }
  return dependencies;
}

async function loadSubchart(
  name: string,
  contents: readonly ChartFile[],
  parent: string,
  load: Load,
  depth: number,
): Promise<LoadedChart> {
  const [first] = contents;
  if (first && goExtension(name) === '.tgz') {
    if (first.name !== name) {
      throw invalidArgument(`error unpacking tar in ${parent}: expected ${name}, got ${first.name}`);
    }
    const { maxNestedArchives } = load.limits;
    if (load.archives >= maxNestedArchives) {
      throw invalidArgument(`archives are nested deeper than ${maxNestedArchives}`);
    }
    return loadArchive(first.data, { ...load, archives: load.archives + 1 }, depth);
  }
  // a file that stands in charts/ itself is no chart: without its own Chart.yaml the load fails, as it does in Helm
  const below = contents
    .filter(file => file.name.includes('/'))
    .map(file => ({ name: file.name.slice(name.length + 1), data: file.data }));
  return loadFiles(below, load, depth);
}

/** Go's filepath.Ext: from the last dot of the last part on, also where that is its first character. */
function goExtension(name: string): string {
  const last = name.slice(name.lastIndexOf('/') + 1);
  const dot = last.lastIndexOf('.');
  return dot < 0 ? '' : last.slice(dot);
}
