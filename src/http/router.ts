import type { Match, Route, Verb } from './exchange.ts';

/** A node of the tree of routes: what may follow, and what ends here. */
interface Node {
  readonly words: Map<string, Node>;
  /** The node behind `{field}`. */
  any: Node | undefined;
  /** The fields on the path to this node, in order. */
  fields: readonly string[];
  template: string;
  readonly routes: Map<Verb, Route>;
}

/** The routes as a tree: a request walks its path once, and words win over fields. */
export class Router {
  readonly #root = node();

  /** @throws Error when two routes have one verb and path, or a template is malformed: both are part of the program */
  constructor(routes: readonly Route[]) {
    for (const route of routes) this.#insert(route);
  }

  /**
   * @param verb of several templates that fit, the first with a route for it counts: `/releases/watch/json` takes GET, and
   * everything else there is for the release of that name
   * @returns undefined when no route has this path
   */
  match(path: string, verb?: Verb): Match | undefined {
    const parts = splitPath(path);
    const ends = parts ? [...walk(this.#root, parts, 0, [])] : [];
    const end = ends.find(({ node }) => verb !== undefined && node.routes.has(verb)) ?? ends[0];
    if (!end) return undefined;
    const { fields, template } = end.node;
    const parameters = Object.fromEntries(fields.map((field, index) => [field, end.values[index]!]));
    const routes =
      ends.length === 1 ? end.node.routes : new Map(ends.reverse().flatMap(({ node }) => [...node.routes]));
    return { template, routes, parameters };
  }

  #insert(route: Route): void {
    const segments = parsePathTemplate(route.template);
    let place = this.#root;
    for (const segment of segments) place = child(place, segment);
    place.fields = segments.flatMap(segment => ('field' in segment ? [segment.field] : []));
    place.template = route.template;
    for (const verb of route.verbs) {
      if (place.routes.has(verb)) throw new Error(`two routes for ${verb} ${route.template}`);
      place.routes.set(verb, route);
    }
  }
}

/** The verbs for an `Allow` header: HEAD comes with GET, OPTIONS with everything. */
export function allowedVerbs({ routes }: Pick<Match, 'routes'>): string[] {
  const verbs = [...routes.keys()].filter(verb => verb !== 'OPTIONS');
  return [...verbs, ...(routes.has('GET') ? ['HEAD'] : []), 'OPTIONS'];
}

/** One part of a path between slashes: a word, or `{field}`. */
export type Segment = { readonly word: string } | { readonly field: string };

/**
 * Parses a path template of `google.api.http` such as `/tiller/v2/releases/{name}/json`. Wildcards and custom verbs,
 * which this contract does not use, are refused.
 * @throws Error for anything else: a template is part of the program
 */
export function parsePathTemplate(template: string): Segment[] {
  if (!template.startsWith('/')) throw new Error(`path template ${template} does not start with a slash`);
  if (template === '/') return [];
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
  if (path === '/') return [];
  if (!path.startsWith('/')) return undefined;
  const parts = path.slice(1).split('/');
  if (!path.includes('%')) return parts.includes('') ? undefined : parts;
  try {
    const decoded = parts.map(decodeURIComponent);
    return decoded.some(part => part === '' || part.includes('/')) ? undefined : decoded;
  } catch {
    return undefined;
  }
}

function node(): Node {
  return { words: new Map(), any: undefined, fields: [], template: '', routes: new Map() };
}

function child(place: Node, segment: Segment): Node {
  if ('field' in segment) {
    place.any ??= node();
    return place.any;
  }
  const known = place.words.get(segment.word) ?? node();
  place.words.set(segment.word, known);
  return known;
}

interface End {
  readonly node: Node;
  readonly values: readonly string[];
}

/** Words before fields. */
function* walk(
  place: Node,
  parts: readonly string[],
  index: number,
  values: readonly string[],
): Generator<End, void, undefined> {
  const part = parts[index];
  if (part === undefined) {
    if (place.routes.size > 0) yield { node: place, values };
    return;
  }
  const word = place.words.get(part);
  if (word) yield* walk(word, parts, index + 1, values);
  if (place.any) yield* walk(place.any, parts, index + 1, [...values, part]);
}
