import { type Route, sendContent } from '../http/index.ts';
import type { Health, HealthReport, Metrics } from '../observe/index.ts';

/** The pages for probes and for Prometheus. */
export function createPages(health: Health, metrics: Metrics): Route[] {
  const page = (
    template: string,
    summary: string,
    report: () => HealthReport | Promise<HealthReport>,
  ): Route => ({
    template,
    verbs: ['GET'],
    summary,
    isOpen: true,
    answer: async exchange => {
      const { ok, reason } = await report();
      const body = Buffer.from(`${reason}\n`);
      const content = { status: ok ? 200 : 503, type: 'text/plain; charset=utf-8', body };
      const answered = await sendContent(exchange, content);
      return ok ? answered : { ...answered, error: reason };
    },
  });
  return [
    page('/healthz', 'Whether the gateway runs.', () => health.live()),
    page('/readyz', 'Whether Tiller can be reached; with 503, why not.', () => health.ready()),
    {
      template: '/metrics',
      verbs: ['GET'],
      summary: 'Metrics for Prometheus.',
      answer: async exchange => {
        const { type, body } = await metrics.render();
        return sendContent(exchange, { status: 200, type, body: Buffer.from(body) });
      },
    },
  ];
}
