export { createAccessLog, type LoggedRequest } from './access-line.ts';
export { createHealth, type Health, type HealthReport } from './health.ts';
export { createLogger, type LogFields, type Logger, type LogLevel } from './logger.ts';
export { type ClusterMetrics, createMetrics, type Metrics } from './metrics.ts';
export { firstLines, maskPayload } from './redact.ts';
