import type { Chart } from '../../codec/index.ts';
import { writeYaml, type YamlMap } from '../../yaml/index.ts';
import type { LoadedChart } from '../chart/chart.ts';
import { readYamlMap } from '../chart/chart-yaml.ts';
import { coalesceValues } from '../values/tables.ts';
import { Preparation } from './preparation.ts';

/**
 * The values that the templates of a release saw: those given, over the chart's own and those of its dependencies, as
 * `helm get values --all` computes them.
 * @param given YAML
 * @throws GatewayError INVALID_ARGUMENT when values are no YAML map, collide with a dependency, or are too many
 */
export function computeValues(chart: Chart | null, given: string): { map: YamlMap; raw: string } {
  const values = readYamlMap(given, 'the given values');
  const work = new Preparation(() => {});
  const map = chart ? coalesceValues(toLoaded(chart), values, work) : values;
  return { map, raw: writeYaml(map) };
}

/** Without what values do not need. */
function toLoaded({ metadata, values, dependencies }: Chart): LoadedChart {
  return {
    metadata: { name: metadata?.name ?? '' },
    templates: [],
    files: [],
    values: values?.raw,
    dependencies: dependencies.map(toLoaded),
  };
}
