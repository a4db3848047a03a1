/** What a server asks for by WWW-Authenticate (RFC 9110, section 11.6.1). */
export interface Challenge {
  /** In small letters. */
  readonly scheme: string;
  readonly parameters: ReadonlyMap<string, string>;
}

const maxChars = 8 * 1024;
const maxChallenges = 10;
const maxParameters = 20;
/** `name=token` or `name="quoted"`, and the comma or end behind it. */
const parameterPattern = /\s*([\w!#$%&'*+.^`|~-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",]+))\s*(?:,|$)/y;
const schemePattern = /[\s,]*([\w!#$%&'*+.^`|~-]+)(?:\s+|,|$)/y;

/** Reads the header; what cannot be read ends it. Nothing is thrown: a header that makes no sense asks for nothing. */
export function parseChallenges(header: string): Challenge[] {
  const challenges: Challenge[] = [];
  if (header.length > maxChars) return challenges;
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const match = pattern.exec(header);
    if (match) at = pattern.lastIndex;
    return match;
  };
  while (at < header.length && challenges.length < maxChallenges) {
    const scheme = take(schemePattern)?.[1];
    if (scheme === undefined) break;
    const parameters = new Map<string, string>();
    while (parameters.size < maxParameters) {
      const [, name, quoted, plain] = take(parameterPattern) ?? [];
      if (name === undefined) break;
      parameters.set(name.toLowerCase(), quoted?.replace(/\\(.)/g, '$1') ?? plain ?? '');
    }
    challenges.push({ scheme: scheme.toLowerCase(), parameters });
  }
  return challenges;
}
