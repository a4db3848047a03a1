import type { LoadedChart } from './loaded-chart.ts';
import { checkDependencies } from './requirements/check-dependencies.ts';
import { processImportValues } from './requirements/import-values.ts';
import { processEnabled, type Warn } from './requirements/process-enabled.ts';
import { loadRequirements } from './requirements/requirements.ts';
import type { YamlMap } from './yaml/index.ts';

/**
 * Does to a loaded chart what the Helm 2.17 client does before it sends it: checks that required charts are there, removes
 * those that are turned off, imports values. `given` reads the request's values; it is only called where they decide something.
 * @throws GatewayError INVALID_ARGUMENT when a dependency is missing, or requirements or values cannot be read
 */
export function prepareChart(chart: LoadedChart, given: () => YamlMap, warn: Warn): void {
  checkDependencies(chart);
  if (loadRequirements(chart)) processEnabled(chart, given(), warn);
  processImportValues(chart, warn);
}
