import { GoComplex, GoInteger, GoStruct, type GoValue } from './value.ts';

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
