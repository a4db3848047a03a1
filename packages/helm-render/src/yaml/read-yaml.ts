import { HelmRenderError } from '../chart/helm-render-error.ts';
import { validateYamlBounds, type YamlBounds } from './bounds.ts';
import { hasForbiddenCharacter } from './chars.ts';
import { decodeDocument } from './decode.ts';
import type { YamlValue } from './node.ts';
import { parseDocument } from './parser.ts';
import { YamlError } from './yaml-error.ts';

/**
 * Reads the first document of a YAML text as Helm 2 does through ghodss/yaml's Unmarshal: YAML 1.1 by yaml.v2's rules,
 * keys turned into strings. An empty text is null.
 * Throws HelmRenderError with Go's words, such as `error converting YAML to JSON: yaml: line 2: did not find expected key`.
 */
export function parseYaml(text: string, bounds?: Partial<YamlBounds>): YamlValue {
  const limits = validateYamlBounds(bounds);
  const refuse = (problem: string, cause?: unknown) =>
    new HelmRenderError(`error converting YAML to JSON: ${problem}`, { cause });
  if (text.length > limits.maxLength) {
    throw refuse(`yaml: document is longer than ${limits.maxLength} characters`);
  }
  if (!text.isWellFormed()) throw refuse('yaml: invalid Unicode character');
  if (hasForbiddenCharacter(text)) throw refuse('yaml: control characters are not allowed');
  try {
    const document = parseDocument(text, limits.maxDepth);
    if (document === undefined) return null;
    const { value, jsonProblem } = decodeDocument(document, limits);
    if (jsonProblem !== undefined) throw refuse(jsonProblem);
    return value;
  } catch (error) {
    if (error instanceof YamlError) throw refuse(`yaml: ${error.message}`, error);
    throw error;
  }
}
