import { GoError } from './function.ts';
import { GoComplex, GoInteger, GoStruct, type GoValue, TypedList } from './value.ts';

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

/** Truth as `if` and `and` see it: false is the zero of its type, and anything empty. */
export function isTrue(value: GoValue | undefined): boolean {
  if (value === undefined || value === null) return false;
  switch (typeof value) {
    case 'boolean':
      return value;
    case 'string':
      return value.length > 0;
    case 'bigint':
      return value !== 0n;
    case 'number':
      return value !== 0;
  }
  if (value instanceof Map) return value.size > 0;
  if (value instanceof GoStruct) return true;
  if (value instanceof GoInteger) return value.value !== 0n;
  if (value instanceof GoComplex) return value.real !== 0 || value.imaginary !== 0;
  return value.length > 0;
}
