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

/** Paths of URLs as `fc.webPath` makes them, which makes the same table. */
export function anyPath(): fc.Arbitrary<string> {
  const character = fc.oneof(
    fc.constantFrom(..."aZ09-._~!$&'()*+,;=:@"),
    anyText({ minLength: 1, maxLength: 1 }).map(encodeURIComponent),
  );
  const segment = fc.array(character).map(characters => `/${characters.join('')}`);
  return fc.array(segment).map(segments => segments.join(''));
}
