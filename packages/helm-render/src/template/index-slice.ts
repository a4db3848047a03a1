import { GoError } from '../go/function.ts';
import { GoInteger, type GoValue, integerOf, TypedList, typedList, typeOf } from '../go/value.ts';
import { elementTypeOf, zeroOf } from './types.ts';

type Reflected = GoValue | undefined;

/** An index into something of that capacity. */
function toIndex(index: Reflected, capacity: number): number {
  if (index === undefined || index === null) throw new GoError('cannot index slice/array with nil');
  const integer = integerOf(index);
  if (integer === undefined) throw new GoError(`cannot index slice/array with type ${typeOf(index)}`);
  if (integer < 0n || integer > BigInt(capacity)) throw new GoError(`index out of range: ${integer}`);
  return Number(integer);
}

function elementAt(item: GoValue, index: Reflected): GoValue {
  if (item instanceof Map) {
    if (index === undefined || index === null) throw new GoError('value is nil; should be of type string');
    if (typeof index !== 'string') throw new GoError(`value has type ${typeOf(index)}; should be string`);
    return item.get(index) ?? (item.has(index) ? null : zeroOf(elementTypeOf(item)));
  }
  if (typeof item === 'string' || item instanceof Uint8Array || Array.isArray(item)) {
    const at = toIndex(index, item.length);
    // Go's check lets the length itself through, and reflection then panics.
    const kind = typeof item === 'string' ? 'string' : 'slice';
    if (at === item.length) throw new GoError(`reflect: ${kind} index out of range`);
    if (typeof item === 'string') return new GoInteger('uint8', BigInt(item.charCodeAt(at)));
    return item instanceof Uint8Array ? new GoInteger('uint8', BigInt(item[at]!)) : (item[at] ?? null);
  }
  throw new GoError(`can't index item of type ${typeOf(item).replace(/^\*/, '')}`);
}

/** `index x 1 "a"`: x[1]["a"]. */
export function indexInto(item: Reflected, indices: readonly Reflected[]): GoValue {
  if (item === undefined || item === null) throw new GoError('index of untyped nil');
  let value: GoValue = item;
  for (const index of indices) {
    if (value === null) throw new GoError('index of nil pointer');
    value = elementAt(value, index);
  }
  return value;
}

/** `slice x 1 3`: x[1:3]. Sprig's function of the same name hides it from charts. */
export function sliceOf(item: Reflected, indices: readonly Reflected[]): GoValue {
  if (item === undefined || item === null) throw new GoError('slice of untyped nil');
  if (indices.length > 3) throw new GoError(`too many slice indexes: ${indices.length}`);
  if (typeof item === 'string' && indices.length === 3) throw new GoError('cannot 3-index slice a string');
  const sliceable = typeof item === 'string' || item instanceof Uint8Array || Array.isArray(item);
  if (!sliceable) throw new GoError(`can't slice item of type ${typeOf(item)}`);
  const given = indices.map(index => toIndex(index, item.length));
  const [start = 0, end = item.length, capacity = item.length] = given;
  if (start > end) throw new GoError(`invalid slice index: ${start} > ${end}`);
  if (end > capacity) throw new GoError(`invalid slice index: ${end} > ${capacity}`);
  const part = item.slice(start, end);
  return item instanceof TypedList ? typedList(item.elementType, part as GoValue[]) : part;
}
