export { accessLine, type LoggedRequest } from './access-line.ts';
export type { LogFields, LogLevel } from './format-line.ts';
export { createHealth, type Health, type HealthReport } from './health.ts';
export { createLogger, type Logger } from './logger.ts';
export { maskPayload } from './mask-payload.ts';
export { type ClusterMetrics, createMetrics, type Metrics } from './metrics.ts';
