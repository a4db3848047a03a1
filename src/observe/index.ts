export { createHealth, type Health, type HealthReport } from './health.ts';
export {
  createAccessLog,
  createLogger,
  type LogFields,
  type LoggedRequest,
  type Logger,
} from './logger.ts';
export { createMetrics, type Metrics } from './metrics.ts';
export { firstLines, maskPayload } from './redact.ts';
