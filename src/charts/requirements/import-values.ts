import type { YamlMap } from '../../yaml/index.ts';
import { writeYaml } from '../../yaml/index.ts';
import type { LoadedChart } from '../chart/loaded-chart.ts';
import { coalesceValues } from '../values/coalesce-values.ts';
import { coalesceTables, countNodes, tableAt, tableUnder } from '../values/tables.ts';
import type { Preparation } from './preparation.ts';
import type { Requirement } from './requirements.ts';

/**
 * Writes the values of every chart that has a requirements.yaml anew: its own over those of its dependencies, and what
 * `import-values` asks for (chartutil.ProcessRequirementsImportValues of Helm 2.17). Innermost charts come first, so that
 * values can be imported through several levels.
 */
export function processImportValues(chart: LoadedChart, work: Preparation): void {
  for (const parent of parentsOf(chart).reverse()) work.tolerating(() => importInto(parent, work));
}

/** The chart itself and all charts below it that have dependencies, outermost first. */
function parentsOf(chart: LoadedChart): LoadedChart[] {
  const below = chart.dependencies.filter(({ dependencies }) => dependencies.length > 0);
  return [chart, ...below.flatMap(parentsOf)];
}

/** Helm drops errors here and leaves the chart's values as they were. */
function importInto(chart: LoadedChart, work: Preparation): void {
  const requirements = work.tryRequirementsOf(chart);
  if (!requirements) return;
  const values = coalesceValues(chart, new Map(), work);
  const result = withImports(chart, requirements, values, work);
  work.takeNodes(countNodes(result));
  chart.values = writeYaml(result);
}

/** Imported values win over the chart's own, and what was imported first over what comes later. */
function withImports(
  chart: LoadedChart,
  requirements: readonly Requirement[],
  values: YamlMap,
  work: Preparation,
): YamlMap {
  let imported: YamlMap = new Map();
  const present = new Set(chart.dependencies.map(({ metadata }) => metadata.name));
  for (const requirement of requirements) {
    const name = [requirement.alias, requirement.name].find(candidate => present.has(candidate));
    if (name === undefined) continue;
    for (const { child, parent } of requirement.importValues) {
      const table = tableAt(values, `${name}.${child}`);
      if (table) {
        work.takeCopies(imported);
        imported = coalesceTables(imported, tableUnder(parent, table));
      } else work.warn(`import-values of chart ${chart.metadata.name}: no table named ${name}.${child}`);
    }
  }
  work.takeCopies(values);
  return coalesceTables(imported, values);
}
