import { invalidArgument } from '../../protocol/index.ts';
import type { LoadedChart } from '../loaded-chart.ts';
import type { Preparation } from './preparation.ts';

/**
 * Checks that what the topmost chart requires is in its charts/, by name, as the Helm client does before it installs.
 * @throws GatewayError INVALID_ARGUMENT naming what is missing, or when requirements.yaml cannot be read
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
