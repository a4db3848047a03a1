import { invalidArgument } from '../../protocol/index.ts';
import type { YamlMap, YamlValue } from '../../yaml/index.ts';
import type { LoadedChart } from '../chart/chart.ts';

/** What Helm calls a table: a map, as opposed to a scalar or a list. */
export function isTable(value: YamlValue | undefined): value is YamlMap {
  return value instanceof Map;
}

/** The table at a dotted path; undefined where a step of the path is missing or no table. */
export function tableAt(values: YamlMap, path: string): YamlMap | undefined {
  let table = values;
  for (const name of path.split('.')) {
    const next = table.get(name);
    if (!isTable(next)) return undefined;
    table = next;
  }
  return table;
}

/** The scalar or list at a dotted path; undefined where there is none, or a table. */
export function valueAt(values: YamlMap, path: string): YamlValue | undefined {
  const names = path.split('.');
  const key = names.pop() ?? '';
  const table = names.length === 0 ? values : tableAt(values, names.join('.'));
  const value = table?.get(key);
  return isTable(value) ? undefined : value;
}

/** A table that holds `table` at the dotted path; `.` is the table itself. */
export function tableUnder(path: string, table: YamlMap): YamlMap {
  if (path === '.') return table;
  return path.split('.').reduceRight<YamlMap>((inner, name) => new Map([[name, inner]]), table);
}

/**
 * Two tables as one, `first` winning (chartutil.coalesceTables of Helm 2.17). A key that is null in `first` is left
 * out: that is how values remove a default. Nulls of `second` are kept, and so are those in tables that only one side
 * has. Neither argument is changed.
 */
export function coalesceTables(first: YamlMap, second: YamlMap): YamlMap {
  const result: YamlMap = new Map();
  for (const [key, theirs] of second) {
    const ours = first.get(key);
    if (ours === undefined) result.set(key, theirs);
    else if (ours === null) continue;
    else result.set(key, isTable(ours) && isTable(theirs) ? coalesceTables(ours, theirs) : ours);
  }
  for (const [key, ours] of first) {
    if (ours !== null && !result.has(key)) result.set(key, ours);
  }
  return result;
}

/**
 * Merges `over` into `base`, as Helm merges one `--values` file over the one before: tables are merged, everything
 * else is replaced, null too. `base` is changed and returned.
 */
export function mergeTables(base: YamlMap, over: YamlMap): YamlMap {
  for (const [key, value] of over) {
    const present = base.get(key);
    base.set(key, isTable(present) && isTable(value) ? mergeTables(present, value) : value);
  }
  return base;
}

/** Every scalar, list and map in a value, itself included. */
export function countNodes(value: YamlValue): number {
  let count = 1;
  if (value instanceof Map) for (const item of value.values()) count += countNodes(item);
  else if (Array.isArray(value)) for (const item of value) count += countNodes(item);
  return count;
}

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
