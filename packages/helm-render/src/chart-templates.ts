import { posix } from 'node:path';
import type { Chart } from './chart/chart.ts';
import { bufferToBytes, utf8ToBytes } from './go/bytes.ts';
import { type GoMap, type GoValue, TypedMap } from './go/value.ts';
import { createFilesObject } from './objects/files.ts';
import { createChartObject } from './objects/metadata.ts';
import { createValues } from './objects/values.ts';

/** One template file of a chart or subchart, and what it is rendered with. */
export interface ChartTemplate {
  /** Path with the charts it lies in: `web/charts/cache/templates/cm.yaml`. A byte string, as are all below. */
  readonly name: string;
  readonly text: string;
  /** Dot. Shared by all templates of one chart, so what one sets in it, the next one sees. */
  readonly data: GoMap;
  readonly basePath: string;
}

const slashes = (name: string) => name.split('/').length - 1;

/** Tiller's order: the most nested files first, and within that from Z to A. Later definitions replace earlier ones. */
export function compareTemplateNames(first: string, second: string): number {
  const difference = slashes(second) - slashes(first);
  if (difference !== 0) return difference;
  return first < second ? 1 : first > second ? -1 : 0;
}

/** A table in values by its dotted path. */
function tableAt(values: GoValue | undefined, path: string): GoMap | undefined {
  let table = values;
  for (const name of path.split('.')) {
    if (!(table instanceof Map)) return undefined;
    table = table.get(name);
  }
  return table instanceof Map ? table : undefined;
}

/**
 * A subchart's part of its parent's values. Both see one map, in Go as two types; here it becomes chartutil.Values for
 * both, so that what one chart sets in it the other one sees.
 */
function subchartValues(name: string, parentValues: GoValue | undefined): GoMap {
  const table = tableAt(parentValues, name);
  if (table === undefined) return createValues([]);
  if (table instanceof TypedMap || !(parentValues instanceof Map) || name.includes('.')) return table;
  const values = createValues(table);
  parentValues.set(name, values);
  return values;
}

/** What a subchart's templates see: its own part of the parent's values. */
function subchartData(chart: Chart, parent: GoMap): GoMap {
  const name = utf8ToBytes(chart.metadata?.name ?? '');
  if (!chart.metadata || name === '') return createValues([]);
  return createValues([
    ['Values', subchartValues(name, parent.get('Values'))],
    ['Release', parent.get('Release') ?? null],
    ['Chart', createChartObject(chart.metadata)],
    ['Files', createFilesObject(chart.files)],
    ['Capabilities', parent.get('Capabilities') ?? null],
  ]);
}

/**
 * All templates of a chart and its subcharts, in the order in which Tiller parses and renders them.
 * @param data dot for the chart's own templates
 */
export function listChartTemplates(chart: Chart, data: GoMap): ChartTemplate[] {
  const templates = new Map<string, ChartTemplate>();
  const visit = (current: Chart, currentData: GoMap, parentPath: string) => {
    const name = utf8ToBytes(current.metadata?.name ?? '');
    const path = parentPath === '' ? name : posix.join(parentPath, 'charts', name);
    for (const child of current.dependencies) visit(child, subchartData(child, currentData), path);
    for (const file of current.templates) {
      const fileName = posix.join(path, utf8ToBytes(file.name));
      const basePath = posix.join(path, 'templates');
      const text = bufferToBytes(file.data);
      templates.set(fileName, { name: fileName, text, data: currentData, basePath });
    }
  };
  visit(chart, data, '');
  return [...templates.values()].sort((a, b) => compareTemplateNames(a.name, b.name));
}
