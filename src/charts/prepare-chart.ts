import type { YamlMap } from '../yaml/index.ts';
import type { LoadedChart } from './loaded-chart.ts';
import { checkDependencies } from './requirements/check-dependencies.ts';
import { processImportValues } from './requirements/import-values.ts';
import { Preparation, type Warn } from './requirements/preparation.ts';
import { processEnabled } from './requirements/process-enabled.ts';

/**
 * Does to a loaded chart what the Helm 2.17 client does before it sends it: checks that required charts are there, removes
 * those that are turned off, imports values. `given` reads the request's values; it is only called where they decide something.
 * @throws GatewayError INVALID_ARGUMENT when a dependency is missing, or requirements or values cannot be read
 */
export function prepareChart(chart: LoadedChart, given: () => YamlMap, warn: Warn): void {
  const work = new Preparation(warn);
  checkDependencies(chart, work);
  if (work.requirementsOf(chart)) processEnabled(chart, given(), work);
  processImportValues(chart, work);
}
