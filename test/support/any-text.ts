import fc from 'fast-check';

/** Code points that no text may hold alone. */
const [firstSurrogate, surrogates] = [0xd800, 0x800];

const codePoint = fc.nat({ max: 0x10_ffff - surrogates }).map(
  index => String.fromCodePoint(index < firstSurrogate ? index : index + surrogates),
  character => {
    if (typeof character !== 'string' || [...character].length !== 1)
      throw new Error('more than a character');
    const code = character.codePointAt(0) ?? 0;
    return code < firstSurrogate ? code : code - surrogates;
  },
);

/** The texts of `fc.string` with the unit `binary`, for which fast-check makes a table of all characters first: more than a second. */
export function anyText(bounds: { readonly minLength?: number; readonly maxLength?: number } = {}) {
  return fc.string({ ...bounds, unit: codePoint });
}
