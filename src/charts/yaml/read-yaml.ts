import { invalidArgument } from '../../protocol/index.ts';
import { validateYamlBounds, type YamlBounds } from './bounds.ts';
import { hasForbiddenCharacter } from './chars.ts';
import { decodeDocument } from './decode.ts';
import { goJson } from './go-json.ts';
import { parseDocument } from './parser.ts';
import type { YamlValue } from './value.ts';
import { YamlError } from './yaml-error.ts';

/**
 * Reads the first document of a YAML text as Helm 2 does through ghodss/yaml's Unmarshal: YAML 1.1 by yaml.v2's rules,
 * keys turned into strings. An empty text is null.
 * Throws INVALID_ARGUMENT with Go's words, such as `error converting YAML to JSON: yaml: line 2: did not find expected key`.
 */
export function parseYaml(text: string, bounds?: Partial<YamlBounds>): YamlValue {
  return read(text, bounds, 'error converting YAML to JSON: ');
}

/**
 * YAML as JSON, as swift shows values: keys sorted, big integers exact. It uses Kubernetes' ToJSON, which takes a text
 * that begins with `{` for JSON already and leaves it as it is, its key order too; else ghodss/yaml's YAMLToJSON.
 * Throws INVALID_ARGUMENT with Go's words, such as `yaml: line 2: did not find expected key`.
 */
export function yamlToJson(text: string, bounds?: Partial<YamlBounds>): string {
  return /^[\s\u0085]*\{/.test(text) ? text : goJson(read(text, bounds, ''));
}

function read(text: string, given: Partial<YamlBounds> | undefined, prefix: string): YamlValue {
  const bounds = validateYamlBounds(given);
  const refuse = (problem: string, cause?: unknown) => invalidArgument(prefix + problem, { cause });
  if (text.length > bounds.maxLength) {
    throw refuse(`yaml: document is longer than ${bounds.maxLength} characters`);
  }
  if (!text.isWellFormed()) throw refuse('yaml: invalid Unicode character');
  if (hasForbiddenCharacter(text)) throw refuse('yaml: control characters are not allowed');
  try {
    const document = parseDocument(text, bounds.maxDepth);
    if (document === undefined) return null;
    const { value, jsonProblem } = decodeDocument(document, bounds);
    if (jsonProblem !== undefined) throw refuse(jsonProblem);
    return value;
  } catch (error) {
    if (error instanceof YamlError) throw refuse(`yaml: ${error.message}`, error);
    throw error;
  }
}
