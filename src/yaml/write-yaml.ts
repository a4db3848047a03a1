import { type GatewayError, invalidArgument } from '../protocol/index.ts';
import { emitYaml } from './emitter.ts';
import { compareUtf8, goJson, type YamlMap, type YamlValue } from './go-json.ts';
import { resolvePlain } from './resolve-scalar.ts';

/** As for reading, whose defaults these are. */
const maxDepth = 1_000;
const maxNodes = 2_000_000;
const maxLength = 20 * 1024 * 1024;
/** libyaml's bound on a key that is not behind `?`, as JSON's are not. */
const maxKeyLength = 1024;

/** What JSON does not escape and YAML forbids. */
const forbidden = /[\u007f-\u0084\u0086-\u009f\ufffe\uffff]/;

/**
 * A value as ghodss/yaml's Marshal writes it, byte for byte: it ends with a line break, keys are in yaml.v2's order.
 *
 * There the value first becomes JSON, is read as YAML and only then written. So a float without a fraction is written
 * as an integer (up to 1e21), and a character that YAML forbids, such as U+007F, is an error.
 * @throws GatewayError INVALID_ARGUMENT on that, on NaN and infinities, and on values beyond the bounds of reading
 */
export function writeYaml(value: YamlValue): string {
  return emitYaml(new JsonAsYaml().read(value, 0));
}

/** What reading a value's JSON as YAML makes of it. */
class JsonAsYaml {
  #nodes = 0;
  #length = 0;

  read(value: YamlValue, depth: number): YamlValue {
    if (++this.#nodes > maxNodes) throw refused(`document has more than ${maxNodes} values`);
    if (typeof value === 'string') return this.#string(value);
    if (typeof value === 'number' || typeof value === 'bigint') return resolvePlain(goJson(value)).value;
    if (value === null || typeof value === 'boolean') return value;
    if (depth >= maxDepth) throw refused(`exceeded max depth of ${maxDepth}`);
    if (Array.isArray(value)) return value.map(item => this.read(item, depth + 1));
    return this.#map(value, depth + 1);
  }

  #map(map: YamlMap, depth: number): YamlMap {
    const read: YamlMap = new Map();
    // In JSON's order, because of two keys that became the same the last counts.
    for (const key of [...map.keys()].sort(compareUtf8)) {
      this.#nodes++;
      if (key.length > maxKeyLength / 6 - 2 && goJson(key).length > maxKeyLength) {
        throw refused("did not find expected ',' or '}': a key is too long");
      }
      if (key.includes('\x85')) throw refused("did not find expected ',' or '}': a key of two lines");
      read.set(this.#string(key), this.read(map.get(key)!, depth));
    }
    return read;
  }

  #string(text: string): string {
    this.#length += text.length;
    if (this.#length > maxLength) throw refused(`document is longer than ${maxLength} characters`);
    if (forbidden.test(text)) throw refused('control characters are not allowed');
    const given = text.toWellFormed();
    // The one line break of YAML that JSON does not escape is folded.
    return given.includes('\x85') ? given.replace(/ *\x85[ \x85]*/g, fold) : given;
  }
}

function fold(breaks: string): string {
  return '\n'.repeat(breaks.replaceAll(' ', '').length - 1) || ' ';
}

function refused(problem: string): GatewayError {
  return invalidArgument(`error converting YAML to JSON: yaml: ${problem}`);
}
