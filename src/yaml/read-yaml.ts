import { invalidArgument } from '../protocol/index.ts';
import { decodeDocument } from './decode.ts';
import { goJson, type YamlValue } from './go-json.ts';
import { type ParsedTree, parseTree, type YamlNode } from './parse-tree.ts';
import { lineAt, YamlError } from './yaml-error.ts';

/** How much a YAML text may ask for. Reading is linear in these, so they bound its time as well. */
export interface YamlBounds {
  /** UTF-16 units of text. */
  readonly maxLength: number;
  /** Levels of nested lists and maps. yaml.v2 stops at 10,000; the default stays below this program's call stack. */
  readonly maxDepth: number;
  /** Values in the result, counted after aliases are expanded. */
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
 * @throws GatewayError INVALID_ARGUMENT with the line, such as `error converting YAML to JSON: yaml: line 2: ...`
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
  /** Undefined where the text has no document, or is not YAML. */
  readonly root: YamlNode | undefined;
  /** Why the text is not YAML; quotes nothing of it but names of anchors. */
  readonly problem: { readonly line: number; readonly message: string } | undefined;
  /** The line, from 1, of a node; of one that is left out the first. */
  lineOf(node: YamlNode): number;
}

/** Reads the first document of a YAML text as a tree of nodes. */
export function readYamlTree(text: string): YamlTree {
  try {
    const parsed = parseBounded(text, defaults);
    return { root: parsed.root, problem: undefined, lineOf: node => lineAt(parsed.text, node.offset) };
  } catch (error) {
    if (!(error instanceof YamlError)) throw error;
    const { line = 1, problem: message } = error;
    return { root: undefined, problem: { line, message }, lineOf: () => 1 };
  }
}

function read(text: string, given: Partial<YamlBounds> | undefined, prefix: string): YamlValue {
  const bounds = validateYamlBounds(given);
  try {
    const parsed = parseBounded(text, bounds);
    return parsed.root === undefined ? null : decodeDocument(parsed.root, parsed.text, bounds);
  } catch (error) {
    if (error instanceof YamlError)
      throw invalidArgument(`${prefix}yaml: ${error.message}`, { cause: error });
    throw error;
  }
}

/** Checks what the parser, which builds everything before it gives anything, would otherwise do without bounds. */
function parseBounded(text: string, { maxLength, maxDepth, maxNodes }: YamlBounds): ParsedTree {
  if (text.length > maxLength) throw new YamlError(`document is longer than ${maxLength} characters`);
  if (text.length > maxNodes && mayHaveMoreNodes(text, maxNodes)) {
    throw new YamlError(`document has more than ${maxNodes} values`);
  }
  return parseTree(text, maxDepth);
}

/** Each value but the first stands behind a separator, so their number bounds that of the values. */
function mayHaveMoreNodes(text: string, maxNodes: number): boolean {
  let separators = 0;
  for (const _ of text.matchAll(/[[{,]|[-:?](?=["'\s[\]{},]|$)/g)) if (++separators >= maxNodes) return true;
  return false;
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
