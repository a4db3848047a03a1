import { GoError } from '../go/function.ts';
import { isNil } from '../go/nil.ts';
import { sprintf } from '../go/printf.ts';
import { GoComplex, GoInteger, type GoValue, kindOf, typeOf } from '../go/value.ts';

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

const isComparable = (value: GoValue) =>
  !(value instanceof Map || value instanceof Uint8Array || Array.isArray(value));

/** Two values of which neither is a number, a text or a bool: only nil, and pointers, can be equal to anything. */
function equalsComposite(first: GoValue, other: GoValue): boolean {
  if (first !== null && other !== null && kindOf(first) !== kindOf(other)) {
    const format = 'non-comparable types %s: %s, %s: %v';
    throw new GoError(sprintf(format, [first, typeOf(first), typeOf(other), other]));
  }
  if (isNil(first) || isNil(other)) return isNil(first) && isNil(other);
  if (!isComparable(other)) {
    throw new GoError(sprintf('non-comparable type %s: %s', [other, typeOf(other)]));
  }
  return first === other;
}

function equals(first: Operand, other: Operand): boolean {
  const kind = basicKind(first);
  const otherKind = basicKind(other);
  if (kind !== otherKind) {
    if (isInteger(kind) && isInteger(otherKind)) return plain(first) === plain(other);
    if ((first ?? null) === null || (other ?? null) === null) return false;
    throw new GoError('incompatible types for comparison');
  }
  if (first instanceof GoComplex && other instanceof GoComplex) {
    return first.real === other.real && first.imaginary === other.imaginary;
  }
  return kind === undefined ? equalsComposite(first ?? null, other ?? null) : plain(first) === plain(other);
}

/** `eq a b c`: whether a is any of the others. Rules: Go 1.19's funcs.go, where maps and lists compare with nil alone. */
export function equalsAny(first: Operand, others: readonly Operand[]): boolean {
  if (others.length === 0) throw new GoError('missing argument for comparison');
  return others.some(other => equals(first, other));
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
