import { GatewayError, invalidArgument } from '../../protocol/index.ts';
import { parseChartMetadata } from '../chart/chart-metadata.ts';
import { readText } from '../chart/chart-text.ts';
import type { ChartFile, ChartMetadata, LoadedChart } from '../chart/loaded-chart.ts';

/** What loading files needs of what is around them. */
export interface LoadContext {
  /** Loads a chart that is packed inside this one; `depth` counts the charts around it. */
  loadNested(archive: Uint8Array, depth: number): Promise<LoadedChart>;
  /** Counts the bytes of a file that is read as YAML. Throws when they are too many. */
  takeYaml(data: Uint8Array): void;
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
export async function loadFiles(
  files: readonly ChartFile[],
  context: LoadContext,
  depth = 0,
): Promise<LoadedChart> {
  if (depth > maxDepth) throw invalidArgument(`charts are nested deeper than ${maxDepth}`);
  for (const { name, data } of files) if (yamlFiles.includes(name)) context.takeYaml(data);
  const { metadata, values, templates, others, subcharts } = sortFiles(files);
  if (!metadata) throw invalidArgument('chart metadata (Chart.yaml) missing');
  const dependencies: LoadedChart[] = [];
  for (const [name, contents] of subcharts) {
    try {
      dependencies.push(await loadSubchart(name, contents, metadata.name, context, depth + 1));
    } catch (error) {
      throw insideSubchart(error, name, metadata.name);
    }
  }
  return { metadata, templates, dependencies, values, files: others };
}

interface SortedFiles {
  metadata: ChartMetadata | undefined;
  values: string | undefined;
  templates: ChartFile[];
  others: ChartFile[];
  /** What is below charts/, by the first part of the name; the files' names start with that part. */
  subcharts: Map<string, ChartFile[]>;
}

function sortFiles(files: readonly ChartFile[]): SortedFiles {
  const sorted: SortedFiles = {
    metadata: undefined,
    values: undefined,
    templates: [],
    others: [],
    subcharts: new Map(),
  };
  for (const file of files) {
    if (file.name === 'Chart.yaml') sorted.metadata = parseChartMetadata(file.data);
    else if (file.name === 'values.toml') throw invalidArgument('values.toml is illegal as of 2.0.0-alpha.2');
    else if (file.name === 'values.yaml') sorted.values = readText(file.data, 'values.yaml');
    else if (file.name.startsWith('templates/')) sorted.templates.push(file);
    else if (file.name.startsWith('charts/') && goExtension(file.name) !== '.prov')
      addToSubchart(sorted, file);
    else sorted.others.push(file);
  }
  return sorted;
}

/** Names that start with `.` or `_` are left out, as Helm does. */
function addToSubchart(sorted: SortedFiles, file: ChartFile): void {
  const name = file.name.slice('charts/'.length);
  if (name.startsWith('.') || name.startsWith('_')) return;
  const [folder = ''] = name.split('/', 1);
  const contents = sorted.subcharts.get(folder) ?? [];
  sorted.subcharts.set(folder, contents);
  contents.push({ name, data: file.data });
}

async function loadSubchart(
  name: string,
  contents: readonly ChartFile[],
  parent: string,
  context: LoadContext,
  depth: number,
): Promise<LoadedChart> {
  const [first] = contents;
  if (first && goExtension(name) === '.tgz') {
    if (first.name !== name) {
      throw invalidArgument(`error unpacking tar in ${parent}: expected ${name}, got ${first.name}`);
    }
    return context.loadNested(first.data, depth);
  }
  // a file that stands in charts/ itself is no chart: without its own Chart.yaml the load fails, as it does in Helm
  const below = contents
    .filter(file => file.name.includes('/'))
    .map(file => ({ name: file.name.slice(name.length + 1), data: file.data }));
  return loadFiles(below, context, depth);
}

/** Go's filepath.Ext: from the last dot of the last part on, also where that is its first character. */
function goExtension(name: string): string {
  const last = name.slice(name.lastIndexOf('/') + 1);
  const dot = last.lastIndexOf('.');
  return dot < 0 ? '' : last.slice(dot);
}

function insideSubchart(error: unknown, name: string, parent: string): unknown {
  if (!(error instanceof GatewayError)) return error;
  return new GatewayError(error.code, `error unpacking ${name} in ${parent}: ${error.message}`, {
    cause: error,
  });
}
