import { invalidArgument } from '../../protocol/index.ts';
import type { YamlMap } from '../../yaml/index.ts';
import type { LoadedChart } from '../chart/loaded-chart.ts';
import { coalesceTables, isTable } from './tables.ts';

const globalKey = 'global';

/** What coalescing needs, and who keeps count of it. */
export interface CoalesceWork {
  /** The values that a chart brings with it; undefined where it has none. They are not changed. */
  ownValues(chart: LoadedChart): YamlMap | undefined;
  /** Counts what is about to be copied; throws when it is too much. */
  takeCopies(value: YamlMap): void;
}

/**
 * The values that a chart and its dependencies will see: those given, over the chart's own, over those of each
 * dependency under its name; `global` is handed down (chartutil.CoalesceValues of Helm 2.17).
 * @throws GatewayError INVALID_ARGUMENT when a scalar stands where a dependency's values belong, and what `work` throws
 */
export function coalesceValues(chart: LoadedChart, given: YamlMap, work: CoalesceWork): YamlMap {
  const own = work.ownValues(chart);
  return coalesceDependencies(chart, own ? coalesceTables(given, own) : new Map(given), work);
}

function coalesceDependencies(chart: LoadedChart, values: YamlMap, work: CoalesceWork): YamlMap {
  for (const dependency of chart.dependencies) {
    const name = dependency.metadata.name;
    const theirs = values.get(name) ?? (values.has(name) ? null : new Map());
    if (!isTable(theirs)) {
      throw invalidArgument(
        `values of chart ${chart.metadata.name}: type mismatch on ${name}: must be a map`,
      );
    }
    values.set(name, coalesceValues(dependency, withGlobals(theirs, values, work), work));
  }
  return values;
}

/**
 * A dependency's values with its parent's globals over its own. Where one of the two `global`s is no table, Helm goes on
 * with the dependency's globals *in place of* its values; kept, since Tiller renders what Helm makes of it.
 */
function withGlobals(values: YamlMap, parent: YamlMap, work: CoalesceWork): YamlMap {
  const ours = values.has(globalKey) ? values.get(globalKey) : new Map();
  const theirs = parent.has(globalKey) ? parent.get(globalKey) : new Map();
  if (!isTable(ours)) return new Map();
  if (!isTable(theirs)) return new Map(ours);
  work.takeCopies(theirs);
  return new Map(values).set(globalKey, coalesceTables(theirs, ours));
}
