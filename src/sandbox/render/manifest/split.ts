/** Between two YAML documents. */
const separator = /(?:^|\s*\n)---\s*/;

/** White space as Go's strings.TrimSpace knows it, in a byte string (U+0085 and U+00A0 are two bytes there). */
export function trimSpace(bytes: string): string {
  const space = '(?:[\\t\\n\\v\\f\\r ]|\\xc2[\\x85\\xa0])+';
  return bytes.replace(new RegExp(`^${space}`), '').replace(new RegExp(`${space}$`), '');
}

/** The documents of a rendered file, without white space around them and without empty ones. */
export function splitManifests(text: string): string[] {
  return trimSpace(text)
    .split(separator)
    .filter(document => document !== '')
    .map(trimSpace);
}
