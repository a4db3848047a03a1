import { GatewayError } from '../../protocol/index.ts';
import type { LoadedChart } from '../loaded-chart.ts';
import { coalesceValues } from '../values/coalesce-values.ts';
import { coalesceTables, tableAt, tableUnder } from '../values/tables.ts';
import type { YamlMap } from '../yaml/index.ts';
import { writeYaml } from '../yaml/index.ts';
import type { Warn } from './process-enabled.ts';
import { type Requirement, tryLoadRequirements } from './requirements.ts';

/**
 * Writes the values of every chart that has a requirements.yaml anew: its own over those of its dependencies, and what
 * `import-values` asks for (chartutil.ProcessRequirementsImportValues of Helm 2.17). Innermost charts come first, so that
 * values can be imported through several levels.
 */
export function processImportValues(chart: LoadedChart, warn: Warn): void {
  for (const parent of parentsOf(chart).reverse()) importInto(parent, warn);
}

/** The chart itself and all charts below it that have dependencies, outermost first. */
function parentsOf(chart: LoadedChart): LoadedChart[] {
  const below = chart.dependencies.filter(({ dependencies }) => dependencies.length > 0);
  return [chart, ...below.flatMap(parentsOf)];
}

/** Helm drops errors here and leaves the chart's values as they were. */
function importInto(chart: LoadedChart, warn: Warn): void {
  const requirements = tryLoadRequirements(chart);
  if (!requirements) return;
  try {
    const values = coalesceValues(chart, new Map());
    chart.values = writeYaml(withImports(chart, requirements, values, warn));
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    warn(error.message);
  }
}

/** The chart's own values win over imported ones, and what was imported first over what comes later. */
function withImports(
  chart: LoadedChart,
  requirements: readonly Requirement[],
  values: YamlMap,
  warn: Warn,
): YamlMap {
  let result = values;
  const present = new Set(chart.dependencies.map(({ metadata }) => metadata.name));
  for (const requirement of requirements) {
    const name = [requirement.alias, requirement.name].find(candidate => present.has(candidate));
    if (name === undefined) continue;
    for (const { child, parent } of requirement.importValues) {
      const table = tableAt(values, `${name}.${child}`);
      if (table) result = coalesceTables(result, tableUnder(parent, table));
      else warn(`import-values of chart ${chart.metadata.name}: no table named ${name}.${child}`);
    }
  }
  return result;
}
