import type { Health, HealthReport, Metrics } from '../observe/index.ts';
import type { Page } from '../rest/index.ts';

/** The pages for probes and for Prometheus. */
export function healthPages(health: Health, metrics: Metrics): Map<string, Page> {
  return new Map<string, Page>([
    ['/healthz', () => reportPage(health.live())],
    ['/readyz', async () => reportPage(await health.ready())],
    [
      '/metrics',
      async () => {
        const { type, body } = await metrics.render();
        return { status: 200, type, body: Buffer.from(body) };
      },
    ],
  ]);
}

/** 200 or 503, with the reason as plain text for whoever looks. */
function reportPage({ ok, reason }: HealthReport): Awaited<ReturnType<Page>> {
  return { status: ok ? 200 : 503, type: 'text/plain; charset=utf-8', body: Buffer.from(`${reason}\n`) };
}
