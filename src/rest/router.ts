import type { HttpBinding } from '../codec/index.ts';
import type { ReleaseMethod, ReleaseService } from '../releases/index.ts';
import { parsePathTemplate, type Segment, splitPath } from './path-template.ts';

/** A method at one of its REST routes. */
export interface Route {
  readonly method: ReleaseMethod;
  readonly binding: HttpBinding;
}

/** What stands at a path. */
export interface Found {
  /** By verb, as the annotations spell them. */
  readonly routes: ReadonlyMap<string, Route>;
  /** Values of the template's fields by name, percent-decoded. */
  readonly parameters: Readonly<Record<string, string>>;
}

/** A place in the tree of routes: what may follow, and what ends here. */
interface Node {
  readonly words: Map<string, Node>;
  /** The node behind `{field}`. */
  any: Node | undefined;
  /** The fields passed on the way, in order. */
  fields: readonly string[];
  readonly routes: Map<string, Route>;
}

export interface Router {
  readonly routes: readonly Route[];
  /** Words win over fields. Undefined when no route has this path. */
  find(path: string): Found | undefined;
}

/** The verbs for an `Allow` header: HEAD comes with GET, OPTIONS with everything. */
export function allowedVerbs(found: Found): string[] {
  const verbs = [...found.routes.keys()];
  return [...verbs, ...(verbs.includes('GET') ? ['HEAD'] : []), 'OPTIONS'];
}

/**
 * The routes of the `google.api.http` annotations, as a tree: a request walks its path once.
 * @param disabled says which routes to leave out
 */
export function createRouter(
  service: ReleaseService,
  disabled: (route: Route) => boolean = () => false,
): Router {
  const root = node();
  const routes = service.methods
    .flatMap(method => method.contract.bindings.map(binding => ({ method, binding })))
    .filter(route => !disabled(route));
  for (const route of routes) insert(root, route);
  return {
    routes,
    find(path) {
      const parts = splitPath(path);
      const end = parts && walk(root, parts, 0, []);
      if (!end) return undefined;
      const parameters: Record<string, string> = {};
      for (const [index, field] of end.node.fields.entries()) parameters[field] = end.values[index]!;
      return { routes: end.node.routes, parameters };
    },
  };
}

function node(): Node {
  return { words: new Map(), any: undefined, fields: [], routes: new Map() };
}

function insert(root: Node, route: Route): void {
  let place = root;
  const segments = parsePathTemplate(route.binding.path);
  for (const segment of segments) place = child(place, segment);
  place.fields = segments.flatMap(segment => ('field' in segment ? [segment.field] : []));
  if (place.routes.has(route.binding.verb))
    throw new Error(`two routes for ${route.binding.verb} ${route.binding.path}`);
  place.routes.set(route.binding.verb, route);
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

function walk(
  place: Node,
  parts: readonly string[],
  index: number,
  values: readonly string[],
): End | undefined {
  const part = parts[index];
  if (part === undefined) return place.routes.size > 0 ? { node: place, values } : undefined;
  const word = place.words.get(part);
  return (
    (word && walk(word, parts, index + 1, values)) ??
    (place.any && walk(place.any, parts, index + 1, [...values, part]))
  );
}
