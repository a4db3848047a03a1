import { emitYaml } from './emitter.ts';
import { goJson } from './go-json.ts';
import { parseYaml } from './read-yaml.ts';
import type { YamlValue } from './value.ts';

/**
 * A value as ghodss/yaml's Marshal writes it, byte for byte: it ends with a line break, keys are in yaml.v2's order.
 *
 * Like there, the value first becomes JSON, is read as YAML and only then written: that is why a float without a
 * fraction is written as an integer (up to 1e21), and why a character that YAML forbids, such as U+007F, is an error.
 * Throws HelmRenderError on that, on NaN and infinities, and on values beyond the default bounds.
 */
export function writeYaml(value: YamlValue): string {
  return emitYaml(parseYaml(goJson(value)));
}
