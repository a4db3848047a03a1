import { GoComplex, GoInteger, type GoMap, GoStruct, type GoValue, typeOf } from '../go/value.ts';

/** Values are nested deeper than this only when one holds itself. */
const maxDepth = 1_000;

/** Counts work in the rendering's budget. */
type Charge = (amount: number) => void;

/**
 * Go's reflect.DeepEqual: the same type and the same content; NaN is not equal to itself. Each comparison is charged: of
 * values that share their parts there can be far more than the values take room.
 */
export function deepEqual(a: GoValue, b: GoValue, charge: Charge, depth = 0): boolean {
  charge(1);
  if (typeof a !== 'object' || typeof b !== 'object') return a === b;
  if (a === null || b === null || typeOf(a) !== typeOf(b)) return a === b;
  if (a === b || depth > maxDepth) return true;
  if (a instanceof GoInteger) return a.value === (b as GoInteger).value;
  if (a instanceof Map) return equalMaps(a, b as GoMap, charge, depth);
  if (a instanceof Uint8Array) return Buffer.compare(a, b as Uint8Array) === 0;
  if (a instanceof GoStruct) return equalStructs(a, b as GoStruct, charge, depth);
  if (a instanceof GoComplex) {
    return a.real === (b as GoComplex).real && a.imaginary === (b as GoComplex).imaginary;
  }
  const other = b as GoValue[];
  if (a.length !== other.length) return false;
  for (let index = 0; index < a.length; index++) {
    if (!deepEqual(a[index]!, other[index]!, charge, depth + 1)) return false;
  }
  return true;
}

function equalMaps(a: GoMap, b: GoMap, charge: Charge, depth: number): boolean {
  if (a.size !== b.size) return false;
  for (const [key, value] of a) {
    const other = b.get(key);
    if (other === undefined || !deepEqual(value, other, charge, depth + 1)) return false;
  }
  return true;
}

function equalStructs(a: GoStruct, b: GoStruct, charge: Charge, depth: number): boolean {
  if (a.text?.() !== b.text?.() || a.fields.size !== b.fields.size) return false;
  return [...a.fields].every(([name, { value }]) => {
    const other = b.fields.get(name);
    return other !== undefined && deepEqual(value, other.value, charge, depth + 1);
  });
}
