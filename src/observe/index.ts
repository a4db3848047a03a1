export { createHealth, type Health, type HealthReport } from './health.ts';
export {
  createAccessLog,
  createLogger,
  type LogFields,
  type LoggedRequest,
  type Logger,
  type LogLevel,
} from './logger.ts';
export { type ClusterMetrics, createMetrics, type Metrics } from './metrics.ts';
export { firstLines, maskPayload } from './redact.ts';
