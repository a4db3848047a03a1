import { invalidArgument } from '../../protocol/index.ts';
import type { YamlMap } from '../../yaml/index.ts';
import type { LoadedChart } from '../chart/loaded-chart.ts';
import { processImportValues } from './import-values.ts';
import { Preparation, type Warn } from './preparation.ts';
import { processEnabled } from './process-enabled.ts';

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

/**
 * Checks that what the topmost chart requires is in its charts/, by name, as the Helm client does before it installs.
 * @throws GatewayError INVALID_ARGUMENT withSource what is missing, or when requirements.yaml cannot be read
 */
export function checkDependencies(chart: LoadedChart, work: Preparation): void {
  const present = new Set(chart.dependencies.map(({ metadata }) => metadata.name));
  const missing = (work.requirementsOf(chart) ?? [])
    .map(({ name }) => name)
    .filter(name => !present.has(name));
  if (missing.length > 0) {
    throw invalidArgument(
      `found in requirements.yaml, but missing in charts/ directory: ${missing.join(', ')}`,
    );
  }
}
