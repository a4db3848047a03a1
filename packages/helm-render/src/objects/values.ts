import { functionLibrary } from '../functions/index.ts';
import { GoError, type GoFunction, goFunction } from '../go/function.ts';
import type { Work } from '../go/limits.ts';
import { formatValue } from '../go/print.ts';
import { quote } from '../go/quote.ts';
import { type GoMap, type GoValue, TypedMap } from '../go/value.ts';

const isTable = (value: GoValue | undefined): value is GoMap =>
  value instanceof Map && (!(value instanceof TypedMap) || value.type === 'chartutil.Values');

/** Where a dotted path leads: the last table on it, and the name at which there is no further one. */
function followPath(values: GoMap, path: string): { readonly table: GoMap; readonly missing?: string } {
  let table = values;
  for (const name of path.split('.')) {
    const next = table.get(name);
    if (!isTable(next)) return { table, missing: name };
    table = next;
  }
  return { table };
}

/** A table by its dotted path, as Helm's Values.Table finds it. @throws GoError with Helm's text */
function tableAt(values: GoMap, path: string, work: Work): GoMap {
  const { table, missing } = followPath(values, path);
  if (missing === undefined) return table;
  const held = table.has(missing) ? '' : ` (${formatValue(table, work)})`;
  throw new GoError(`no table named ${quote(missing)}${held}`);
}

/** What is no table at the end of a dotted path. @throws GoError in the words of Helm's Values.PathValue */
export function pathValue(values: GoMap, path: string): GoValue {
  if (path === '') throw new GoError('YAML path string cannot be zero length');
  const dot = path.lastIndexOf('.');
  const key = path.slice(dot + 1);
  const { table, missing } = dot < 0 ? { table: values } : followPath(values, path.slice(0, dot));
  const value = missing === undefined ? table.get(key) : undefined;
  if (value !== undefined && !(value instanceof Map && !(value instanceof TypedMap))) return value;
  throw new GoError(dot < 0 || missing !== undefined ? `${key} is not a value` : `key not found: ${key}`);
}

/** Values have methods in Go, which templates can call: `.Values.AsMap`. They win over keys of the same names. */
function methodsOf(self: () => TypedMap): Map<string, GoFunction> {
  const toYaml = functionLibrary.get('toYaml')!;
  return new Map([
    ['AsMap', goFunction([], () => self(), { result: 'map[string]interface {}' })],
    ['YAML', goFunction([], (_, context) => toYaml.call([self()], context), { result: 'string' })],
    [
      'Table',
      goFunction(['string'], ([path], context) => tableAt(self(), path as string, context), {
        result: 'chartutil.Values',
      }),
    ],
    ['PathValue', goFunction(['string'], ([path]) => pathValue(self(), path as string))],
  ]);
}

/** A map of Go's type chartutil.Values: dot, and `.Values`. */
export function createValues(entries: Iterable<readonly [string, GoValue]>): TypedMap {
  const values: TypedMap = new TypedMap(
    'chartutil.Values',
    'interface {}',
    entries,
    methodsOf(() => values),
  );
  return values;
}
