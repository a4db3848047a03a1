import { GoError } from './function.ts';
import { type GoValue, TypedList } from './value.ts';

/** A slice that Go holds as nil: an empty one, but `null` in JSON and YAML, and equal to nil. */
export class NilList extends TypedList {}

/** A map that Go holds as nil: an empty map[string]interface {} to which nothing can be added. */
export class NilMap extends Map<string, GoValue> {
  override set(): never {
    throw new GoError('assignment to entry in nil map');
  }
}

/** A nil slice of `elementType`. */
export function nilList(elementType: string): NilList {
  const list = new NilList();
  list.elementType = elementType;
  return list;
}

/** Whether a value is nil: no value at all, or a map or slice that was never made. */
export function isNil(value: GoValue): boolean {
  return value === null || value instanceof NilList || value instanceof NilMap;
}
