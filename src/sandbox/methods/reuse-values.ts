import type { Chart, Config, Release, UpdateReleaseRequest } from '../../codec/index.ts';
import type { Work } from '../work/tasks.ts';
import { TillerCrash } from '../work/tiller-error.ts';

/** The chart and the values with which an upgrade goes on. */
export interface UpgradeInput {
  readonly chart: Chart;
  readonly values: Config | null;
}

/**
 * The chart and values of an upgrade. With `reset_values` the old values are ignored. With `reuse_values` the new values
 * are merged over the old ones, and the old chart's values merged with them become the chart's defaults. With neither,
 * new values are used alone; without new values the old ones stay.
 * @throws GatewayError, HelmRenderError when values are no YAML map; TillerCrash
 */
export async function reuseValues(
  work: Work,
  request: UpdateReleaseRequest,
  chart: Chart,
  current: Release,
): Promise<UpgradeInput> {
  const { values } = request;
  if (request.reset_values) return { chart, values };
  const old = current.config;
  if (request.reuse_values) {
    if (!values) throw new TillerCrash('reuse_values without values');
    const merged = await work.mergeValues(current.chart, old?.raw ?? '', values.raw);
    return {
      chart: { ...chart, values: { raw: merged.defaults, values: {} } },
      values: { raw: merged.values, values: values.values },
    };
  }
  const keepsOld = isEmpty(values) && !isEmpty(old);
  return { chart, values: keepsOld ? old : values };
}

/** What the Helm client sends for no values is `{}` and a line break. */
function isEmpty(config: Config | null): boolean {
  return !config || config.raw === '' || config.raw === '{}\n';
}
