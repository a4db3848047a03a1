import { runeCount } from './bytes.ts';

/** The flags between `%` and the verb. https://pkg.go.dev/fmt#hdr-Printing */
export interface FormatFlags {
  width: number | undefined;
  precision: number | undefined;
  minus: boolean;
  plus: boolean;
  sharp: boolean;
  space: boolean;
  zero: boolean;
  /** `%+v` and `%#v`: the flag belongs to the verb, not to the numbers within. */
  plusV: boolean;
  sharpV: boolean;
}

export function createFlags(): FormatFlags {
  return {
    width: undefined,
    precision: undefined,
    minus: false,
    plus: false,
    sharp: false,
    space: false,
    zero: false,
    plusV: false,
    sharpV: false,
  };
}

/** `text` filled up to the width, which counts runes. */
export function pad(text: string, flags: FormatFlags, zero: boolean = flags.zero): string {
  const { width, minus } = flags;
  if (width === undefined) return text;
  const missing = width - runeCount(text);
  if (missing <= 0) return text;
  if (minus) return text + ' '.repeat(missing);
  return (zero ? '0' : ' ').repeat(missing) + text;
}
