import { checkChartMetadata } from './chart-request.ts';
import { RequestFields } from './request-fields.ts';
import { checkLimit } from './summarize-releases.ts';

/** Of Tiller's own methods those that some requests take Tiller down by, each with the look at what does. */
const checks: Readonly<Record<string, (message: Uint8Array) => void>> = {
  ListReleases: checkLimit,
  InstallRelease: message => checkChart(message, 1),
  UpdateRelease: message => checkChart(message, 2),
};

/**
 * The check that a message of this method of Tiller's own service has to pass before Tiller may get it.
 * It throws GatewayError INVALID_ARGUMENT for a message that would take Tiller down, or that cannot be read.
 */
export function tillerRequestCheck(method: string): ((message: Uint8Array) => void) | undefined {
  return checks[method];
}

function checkChart(message: Uint8Array, field: number): void {
  const chart = new RequestFields(message).message(field);
  if (chart) checkChartMetadata(chart);
}
