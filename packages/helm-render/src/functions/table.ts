import type { GoFunction } from '../go/function.ts';

/** A part of the library: names and what they call. */
export type Functions = readonly (readonly [name: string, fn: GoFunction])[];
