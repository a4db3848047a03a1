import { GoError } from '../go/function.ts';
import type { Work } from '../go/limits.ts';
import { sprintf } from '../go/printf.ts';
import { GoComplex, GoInteger, type GoValue, typeOf } from '../go/value.ts';

/** A value, or undefined for the invalid one; comparisons take both kinds of nil alike. */
type Operand = GoValue | undefined;

type BasicKind = 'bool' | 'complex' | 'int' | 'float' | 'string' | 'uint';

function basicKind(value: Operand): BasicKind | undefined {
  switch (typeof value) {
    case 'boolean':
      return 'bool';
    case 'string':
      return 'string';
    case 'bigint':
      return 'int';
    case 'number':
      return 'float';
  }
  if (value instanceof GoInteger) return value.kind.startsWith('u') ? 'uint' : 'int';
  return value instanceof GoComplex ? 'complex' : undefined;
}

const isInteger = (kind: BasicKind | undefined) => kind === 'int' || kind === 'uint';

/** The value in a form that JavaScript compares as Go does. */
function plain(value: Operand): string | number | bigint | boolean {
  return value instanceof GoInteger ? value.value : (value as string);
}

/** @throws GoError for a map or a list, which Go never compares, not even with nil */
function refuseUncomparable(value: Operand, work: Work): void {
  if (!(value instanceof Map || value instanceof Uint8Array || Array.isArray(value))) return;
  throw new GoError(sprintf('uncomparable type %s: %v', [typeOf(value), value], work));
}

/** Two values of which neither is a number, a text or a bool: nil, or pointers. */
function equalsComposite(first: GoValue, other: GoValue, work: Work): boolean {
  if (other === null) return first === null;
  refuseUncomparable(other, work);
  if (first === null) throw new GoError('reflect: call of reflect.Value.Interface on zero Value');
  return first === other;
}

function equals(first: Operand, other: Operand, work: Work): boolean {
  const kind = basicKind(first);
  const otherKind = basicKind(other);
  if (kind !== otherKind) {
    if (isInteger(kind) && isInteger(otherKind)) return plain(first) === plain(other);
    throw new GoError('incompatible types for comparison');
  }
  if (first instanceof GoComplex && other instanceof GoComplex) {
    return first.real === other.real && first.imaginary === other.imaginary;
  }
  return kind === undefined
    ? equalsComposite(first ?? null, other ?? null, work)
    : plain(first) === plain(other);
}

/** `eq a b c`: whether a is any of the others. Go 1.14 has no nil that equals nothing: it is of another type. */
export function equalsAny(first: Operand, others: readonly Operand[], work: Work): boolean {
  refuseUncomparable(first, work);
  if (others.length === 0) throw new GoError('missing argument for comparison');
  return others.some(other => equals(first, other, work));
}

export function isLess(first: Operand, second: Operand): boolean {
  const kind = basicKind(first);
  const secondKind = basicKind(second);
  if (kind === undefined || secondKind === undefined) throw new GoError('invalid type for comparison');
  if (kind !== secondKind) {
    if (isInteger(kind) && isInteger(secondKind)) return plain(first) < plain(second);
    throw new GoError('incompatible types for comparison');
  }
  if (kind === 'bool' || kind === 'complex') throw new GoError('invalid type for comparison');
  return plain(first) < plain(second);
}
