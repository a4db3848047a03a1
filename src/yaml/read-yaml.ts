import {
  constructFromEvents,
  EVENT_ID,
  type Event,
  eventsToAst,
  type Node,
  parseEvents,
  SCALAR_STYLE,
  type ScalarNode,
  visit,
  YAMLException,
} from 'js-yaml';
import { invalidArgument } from '../protocol/index.ts';
import { goJson, type YamlValue } from './go-json.ts';
import { asValue, createGoSchema, problemOf, resolvePlain } from './go-schema.ts';
import { applyLibyamlRules } from './libyaml-rules.ts';
import { firstDocument, lineAt, type PaddedText, padFlow, YamlError } from './source-text.ts';

/** How much a YAML text may ask for. Reading is linear in these, so they bound its time as well. */
export interface YamlBounds {
  /** UTF-16 units of text. */
  readonly maxLength: number;
  /** Levels of nested lists and maps. yaml.v2 stops at 10,000; the default stays below this program's call stack. */
  readonly maxDepth: number;
  /** Keys and values in the result, counted after aliases are expanded. */
  readonly maxNodes: number;
}

const defaults: YamlBounds = {
  maxLength: 20 * 1024 * 1024,
  maxDepth: 1_000,
  maxNodes: 2_000_000,
};

const most: YamlBounds = { maxLength: 256 * 1024 * 1024, maxDepth: 1_000, maxNodes: 20_000_000 };

/**
 * Reads the first document of a YAML text as Helm 2 does through ghodss/yaml's Unmarshal: YAML 1.1 by yaml.v2's rules,
 * keys turned into strings. An empty text is null.
 * @throws GatewayError INVALID_ARGUMENT with the line, such as `error converting YAML to JSON: yaml: line 2: ...`, and
 * a YamlError as its cause
 */
export function parseYaml(text: string, bounds?: Partial<YamlBounds>): YamlValue {
  return read(text, bounds, 'error converting YAML to JSON: ');
}

/**
 * YAML as JSON, as swift shows values: keys sorted, big integers exact. It uses Kubernetes' ToJSON, which takes a text
 * that begins with `{` for JSON already and leaves it as it is, its key order too; else ghodss/yaml's YAMLToJSON.
 * @throws GatewayError INVALID_ARGUMENT with the line, such as `yaml: line 2: ...`
 */
export function yamlToJson(text: string, bounds?: Partial<YamlBounds>): string {
  return /^[\s\u0085]*\{/.test(text) ? text : goJson(read(text, bounds, ''));
}

/** A document before it becomes a value, for readers that name the line of what they refuse. */
export interface YamlTree {
  /** js-yaml's tree; undefined where the text has no document, or is not YAML. */
  readonly root: Node | undefined;
  /** Why the text is not YAML; quotes nothing of it but names of anchors. */
  readonly problem: { readonly line: number; readonly message: string } | undefined;
  /** The line, from 1, of a node; of one that is left out the first. */
  lineOf(node: Node): number;
}

/** Reads the first document of a YAML text as a tree of nodes. */
export function readYamlTree(text: string): YamlTree {
  try {
    const { source, events } = parseBounded(text, defaults);
    const documents = eventsToAst(events, { source, schema: createGoSchema(0) });
    const nodes: Node[] = [];
    visit(documents, node => void nodes.push(node));
    // nodes and events come in the same order
    const starts = events
      .filter(({ type }) => type !== EVENT_ID.DOCUMENT && type !== EVENT_ID.POP)
      .map(startOf);
    const startOfNode = new Map(nodes.map((node, index) => [node, starts[index] ?? 0]));
    return {
      root: documents[0]?.contents ?? undefined,
      problem: undefined,
      lineOf: node => lineAt(source, startOfNode.get(node) ?? 0),
    };
  } catch (error) {
    if (!(error instanceof YamlError)) throw error;
    const { line = 1, problem: message } = error;
    return { root: undefined, problem: { line, message }, lineOf: () => 1 };
  }
}

function startOf(event: Event): number {
  if ('valueStart' in event) return event.valueStart;
  if ('start' in event) return event.start;
  return 'anchorStart' in event ? event.anchorStart : 0;
}

/** The value of a scalar without a tag; undefined where it has one. */
export function scalarOf({ tagged, style, value }: ScalarNode): YamlValue | undefined {
  if (tagged) return undefined;
  return style === SCALAR_STYLE.PLAIN ? resolvePlain(value).value : value;
}

function read(text: string, given: Partial<YamlBounds> | undefined, prefix: string): YamlValue {
  const bounds = validateYamlBounds(given);
  try {
    return construct(parseBounded(text, bounds), bounds);
  } catch (error) {
    if (error instanceof YamlError)
      throw invalidArgument(`${prefix}yaml: ${error.message}`, { cause: error });
    throw error;
  }
}

interface Parsed {
  /** What was parsed in the end, and what offsets refer to. */
  readonly source: string;
  readonly events: Event[];
}

/** Checks what the parser, which builds everything before it gives anything, would otherwise do without bounds. */
function parseBounded(text: string, { maxLength, maxDepth, maxNodes }: YamlBounds): Parsed {
  if (text.length > maxLength) throw new YamlError(`document is longer than ${maxLength} characters`);
  if (hasManySeparators(text, 5 * maxNodes)) throw tooManyNodes(maxNodes);
  const parse = ({ text: source, padded }: PaddedText): Parsed => {
    const events = parseEvents(source, { maxDepth: maxDepth + 1 });
    applyLibyamlRules(source, events, padded);
    return { source, events };
  };
  const source = firstDocument(text);
  return orYamlError(() => {
    try {
      return parse({ text: source, padded: [] });
    } catch (error) {
      const padded = error instanceof YAMLException ? padFlow(source) : undefined;
      if (padded === undefined) throw error;
      return parse(padded);
    }
  });
}

/**
 * Whether a text has more than so many characters that may separate values. Each value but the first stands behind one, so
 * this bounds what is parsed; texts in quotes and blocks have them too, hence the room.
 */
function hasManySeparators(text: string, most: number): boolean {
  if (text.length <= most) return false;
  let separators = 0;
  for (const _ of text.matchAll(/[[{,]|[-:?](?=["'\s[\]{},]|$)/g)) if (++separators > most) return true;
  return false;
}

function construct({ source, events }: Parsed, { maxDepth, maxNodes }: YamlBounds): YamlValue {
  let nodes = 0;
  let hasAliases = false;
  for (const { type } of events) {
    if (type !== EVENT_ID.POP && type !== EVENT_ID.DOCUMENT) nodes++;
    hasAliases ||= type === EVENT_ID.ALIAS;
  }
  if (nodes > maxNodes) throw tooManyNodes(maxNodes);
  const schema = createGoSchema(maxNodes);
  const [document] = orYamlError(() => constructFromEvents(events, { source, schema, json: true }));
  const value = asValue(document as YamlValue | undefined);
  const problem = problemOf(value);
  if (problem !== '') throw new YamlError(problem, 1);
  return hasAliases ? new AliasExpander(maxDepth, maxNodes).expand(value, 0, false) : value;
}

function tooManyNodes(maxNodes: number): YamlError {
  return new YamlError(`document has more than ${maxNodes} values`);
}

/** Copies what aliases share, since Helm's values are read from JSON and share nothing. */
class AliasExpander {
  readonly #maxDepth: number;
  readonly #maxNodes: number;
  readonly #seen = new Set<YamlValue>();
  #nodes = 0;
  #fromAliases = 0;

  constructor(maxDepth: number, maxNodes: number) {
    this.#maxDepth = maxDepth;
    this.#maxNodes = maxNodes;
  }

  expand(value: YamlValue, depth: number, isInAlias: boolean): YamlValue {
    this.#count(1, isInAlias);
    if (typeof value !== 'object' || value === null) return value;
    // aliases can nest deeper than the text does
    if (depth >= this.#maxDepth) throw new YamlError(`exceeded max depth of ${this.#maxDepth}`);
    const isCopy = isInAlias || this.#seen.has(value);
    this.#seen.add(value);
    if (Array.isArray(value)) return value.map(item => this.expand(item, depth + 1, isCopy));
    this.#count(value.size, isCopy);
    return new Map([...value].map(([key, item]) => [key, this.expand(item, depth + 1, isCopy)]));
  }

  /** yaml.v2's guard against alias bombs: 99 of 100 values may come from aliases. */
  #count(nodes: number, isInAlias: boolean): void {
    this.#nodes += nodes;
    if (isInAlias) this.#fromAliases += nodes;
    if (this.#fromAliases > 100 && this.#nodes > 1000 && this.#fromAliases > 0.99 * this.#nodes)
      throw new YamlError('document contains excessive aliasing');
    if (this.#nodes > this.#maxNodes) throw tooManyNodes(this.#maxNodes);
  }
}

/** Keeps only the reason and the line: the library's message quotes the text, which may hold a secret. */
function orYamlError<T>(task: () => T): T {
  try {
    return task();
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    const { reason, mark } = error;
    const depth = /^nesting exceeded maxDepth \((\d+)\)$/.exec(reason)?.[1];
    const recursive = /^recursive alias "(.*?)"/.exec(reason)?.[1];
    let problem = reason;
    if (depth !== undefined) problem = `exceeded max depth of ${Number(depth) - 1}`;
    if (recursive !== undefined) problem = `anchor '${recursive}' value contains itself`;
    throw new YamlError(problem, mark && mark.line + 1);
  }
}

/** Fills in what is not given. Throws INVALID_ARGUMENT on a bound that is not an integer from 1 to its limit. */
function validateYamlBounds(given: Partial<YamlBounds> = {}): YamlBounds {
  const bounds = { ...defaults, ...given };
  for (const name of ['maxLength', 'maxDepth', 'maxNodes'] as const) {
    const value = bounds[name];
    if (!Number.isInteger(value) || value < 1 || value > most[name]) {
      throw invalidArgument(`${name} must be an integer from 1 to ${most[name]}`);
    }
  }
  return bounds;
}
