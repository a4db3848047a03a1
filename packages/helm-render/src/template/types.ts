import type { GoType } from '../go/function.ts';
import { NilMap, nilList } from '../go/nil.ts';
import {
  GoComplex,
  GoInteger,
  GoStruct,
  type GoValue,
  type IntegerKind,
  TypedList,
  TypedMap,
  typeOf,
} from '../go/value.ts';

/** How the evaluator treats a parameter of a type: which constants fit it, and what nil becomes. */
export type TypeClass =
  | 'interface'
  | 'value'
  | 'bool'
  | 'string'
  | 'integer'
  | 'unsigned'
  | 'float'
  | 'complex'
  | 'nillable'
  | 'other';

const named: Record<string, TypeClass> = {
  'interface {}': 'interface',
  'reflect.Value': 'value',
  bool: 'bool',
  string: 'string',
  float64: 'float',
  complex128: 'complex',
  'chartutil.Values': 'nillable',
};

export function typeClass(type: GoType): TypeClass {
  const known = named[type];
  if (known !== undefined) return known;
  if (/^int(8|16|32|64)?$/.test(type)) return 'integer';
  if (/^uint(8|16|32|64|ptr)?$/.test(type)) return 'unsigned';
  return /^(\[\]|map\[|\*|func)/.test(type) ? 'nillable' : 'other';
}

/** Whether nil can be given for a type. */
export function canBeNil(type: GoType): boolean {
  const known = typeClass(type);
  return known === 'interface' || known === 'value' || known === 'nillable';
}

/** The unnamed type behind a named one, for Go's assignability. */
const underlying: Record<string, string> = {
  'chartutil.Values': 'map[string]interface {}',
  'chartutil.Files': 'map[string][]uint8',
};

/** Whether Go would assign the value to a parameter of the type. */
export function isAssignable(value: GoValue, type: GoType): boolean {
  if (type === 'interface {}' || type === 'reflect.Value') return true;
  const own = typeOf(value);
  return own === type || underlying[own] === type || underlying[type] === own;
}

/** The zero of a type, as a missing key of a map with such elements gives it. */
export function zeroOf(type: GoType): GoValue {
  switch (typeClass(type)) {
    case 'bool':
      return false;
    case 'string':
      return '';
    case 'integer':
    case 'unsigned':
      return type === 'int' ? 0n : new GoInteger(type as IntegerKind, 0n);
    case 'float':
      return 0;
    case 'complex':
      return new GoComplex(0, 0);
    case 'nillable':
      return zeroOfNillable(type);
    case 'other':
      return new GoStruct(type);
    default:
      return null;
  }
}

function zeroOfNillable(type: GoType): GoValue {
  if (type === '[]uint8') return new Uint8Array();
  if (type.startsWith('[]')) return nilList(type.slice(2));
  if (type === 'map[string]interface {}' || type === 'chartutil.Values') return new NilMap();
  return type.startsWith('map[string]') ? new TypedMap(type, type.slice('map[string]'.length)) : null;
}

/** The declared type of a list's or map's elements. */
export function elementTypeOf(container: GoValue): GoType {
  if (container instanceof TypedMap || container instanceof TypedList) return container.elementType;
  return container instanceof Uint8Array ? 'uint8' : 'interface {}';
}
