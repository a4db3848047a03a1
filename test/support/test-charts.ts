import { type ChartOptions, Charts } from '../../src/charts/index.ts';
import { readValues } from '../../src/config/config.ts';

/** Charts as a gateway without any flag finds them, but for these options. */
export function createTestCharts(options: Partial<ChartOptions> = {}): Charts {
  const { charts } = readValues(new Map()).config;
  return new Charts({ ...charts, proxyFor: () => undefined, warn: () => {}, ...options });
}
