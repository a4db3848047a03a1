import { type ChartOptions, type Charts, createCharts } from '../../src/charts/index.ts';
import { readValues } from '../../src/config/config.ts';

/** Charts as a gateway without any flag finds them, but for these options. */
export function createTestCharts(options: Partial<ChartOptions> = {}): Charts {
  const { charts } = readValues(new Map()).config;
  return createCharts({ ...charts, proxyFor: () => undefined, warn: () => {}, ...options });
}
