/** One part of a path between slashes: a word, or `{field}`. */
export type Segment = { readonly word: string } | { readonly field: string };

/**
 * Reads a path template of `google.api.http` such as `/tiller/v2/releases/{name}/json`. Wildcards and verbs, which
 * this contract does not use, are refused.
 * @throws Error for anything else: a template is part of the program
 */
export function parsePathTemplate(template: string): Segment[] {
  if (!template.startsWith('/')) throw new Error(`path template ${template} does not start with a slash`);
  return template
    .slice(1)
    .split('/')
    .map(part => {
      const field = /^\{([a-z][a-z0-9_]*)\}$/.exec(part)?.[1];
      if (field) return { field };
      if (!/^[\w.-]+$/.test(part)) throw new Error(`path template ${template} has the part ${part}`);
      return { word: part };
    });
}

/**
 * The parts of a request's path, percent-decoded.
 * @returns undefined for a path that can match nothing: empty parts, broken escapes, or a slash hidden in a part
 */
export function splitPath(path: string): string[] | undefined {
  const parts = path.slice(1).split('/');
  if (!path.includes('%')) return parts.includes('') ? undefined : parts;
  try {
    const decoded = parts.map(decodeURIComponent);
    return decoded.some(part => part === '' || part.includes('/')) ? undefined : decoded;
  } catch {
    return undefined;
  }
}
