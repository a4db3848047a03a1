import { type Config, decodeMessage, encodeMessage } from '../../codec/index.ts';
import { inThread, invalidArgument, type Job } from '../../protocol/index.ts';
import { writeYaml, type YamlMap, type YamlValue } from '../../yaml/index.ts';
import { mayExpand, readYamlMap, textBounds } from '../chart/chart-yaml.ts';
import { applySetLines } from './set-line.ts';
import { countNodes, mergeTables } from './tables.ts';

/** How a caller gives values, in the order in which they are merged. */
export interface GivenValues {
  /** hapi.chart.Config in wire format, with YAML in `raw`. */
  readonly values?: Uint8Array | undefined;
  readonly valuesJson?: Readonly<Record<string, unknown>> | undefined;
  readonly set: readonly string[];
  readonly setString: readonly string[];
}

/** Values as a request has them, before any of them is read. */
export interface RequestValues extends Omit<GivenValues, 'valuesJson'> {
  /** google.protobuf.Struct in wire format. */
  readonly valuesJson?: Uint8Array | undefined;
}

/** Bytes of values up to which they are read where they arrive: some ten milliseconds. */
const maxHereBytes = 64 * 1024;

/** Whether values may take long to read: they are many, or anchors or an index may make any number of a few bytes. */
export function mayTakeLong(given: RequestValues): boolean {
  const { values = new Uint8Array(), set, setString } = given;
  return (
    sizeOfValues(given) > maxHereBytes ||
    mayExpand(values) ||
    [...set, ...setString].some(line => /\[\d{4}/.test(line))
  );
}

export function sizeOfValues({ values, valuesJson, set, setString }: RequestValues): number {
  const sizes = [values, valuesJson, ...set, ...setString].map(part => part?.length ?? 0);
  return sizes.reduce((sum, size) => sum + size + 8, 0);
}

/** A request's values: as Tiller gets them, and read. */
export interface MergedValues {
  /** hapi.chart.Config in wire format. */
  readonly wire: Uint8Array;
  /**
   * What they say.
   * @throws GatewayError INVALID_ARGUMENT when the YAML cannot be read
   */
  parse(): YamlMap;
}

const fieldNames = { raw: 'values.raw', json: 'values_json' };
const maxJsonDepth = 1_000;

/**
 * Merges what was given as the Helm client merges `--values` files, `--set` and `--set-string`. `values` alone is passed on
 * as it is, byte for byte; YAML is written anew only where something has to be merged into it.
 * @throws GatewayError INVALID_ARGUMENT when a part cannot be read
 */
export function mergeValues(given: GivenValues): MergedValues {
  const readConfig = (): Config => decodeMessage('hapi.chart.Config', given.values ?? new Uint8Array());
  if (!given.valuesJson && given.set.length === 0 && given.setString.length === 0) {
    return {
      wire: given.values ?? new Uint8Array(),
      parse: () => readYamlMap(readConfig().raw, fieldNames.raw),
    };
  }
  const config = readConfig();
  const merged = readYamlMap(config.raw, fieldNames.raw);
  if (given.valuesJson) mergeTables(merged, jsonToTable(given.valuesJson, 0));
  applySetLines(merged, given.set, given.setString);
  if (countNodes(merged) > textBounds.maxNodes) {
    throw invalidArgument(`the values given are more than ${textBounds.maxNodes}`);
  }
  const wire = encodeMessage('hapi.chart.Config', { ...config, raw: writeYaml(merged) });
  return { wire, parse: () => merged };
}

function jsonToTable(object: Readonly<Record<string, unknown>>, depth: number): YamlMap {
  return new Map(Object.entries(object).map(([key, value]) => [key, jsonToYaml(value, depth + 1)]));
}

/** A JSON number without a fraction is an integer, as in Go's JSON of a float64. */
function jsonToYaml(value: unknown, depth: number): YamlValue {
  if (depth > maxJsonDepth) throw invalidArgument(`${fieldNames.json} nests deeper than ${maxJsonDepth}`);
  switch (typeof value) {
    case 'string':
    case 'boolean':
    case 'bigint':
      return value;
    case 'number':
      return Number.isSafeInteger(value) ? BigInt(value) : value;
    case 'object':
      if (value === null) return null;
      if (Array.isArray(value)) return value.map(item => jsonToYaml(item, depth + 1));
      return jsonToTable(value as Record<string, unknown>, depth);
    default:
      throw invalidArgument(`${fieldNames.json}: a ${typeof value} is no JSON value`);
  }
}

/** Values as text, and lines that are set in them. */
export interface TextValues {
  readonly yaml: string;
  readonly set: readonly string[];
  readonly setString: readonly string[];
}

/**
 * Merges values and reads all of them, also where nothing has to be merged. Empty ones become no text at all, which Helm
 * and Tiller take for none.
 * @returns hapi.chart.Config in wire format
 * @throws GatewayError INVALID_ARGUMENT, whose part of the values `wrongPart` tells
 */
export function checkValues({ yaml, set, setString }: TextValues): Buffer {
  const values = encodeMessage('hapi.chart.Config', { raw: yaml });
  const { wire, parse } = mergeValues({ values, set, setString });
  if (parse().size === 0) return Buffer.alloc(0);
  const { raw }: Config = decodeMessage('hapi.chart.Config', wire);
  return encodeMessage('hapi.chart.Config', { raw });
}

const checkInThread = inThread(import.meta.url, checkValues);

/** As `checkValues`, in a thread where that could take long. */
export function checkValuesWhereItFits(
  given: TextValues,
  job: Omit<Job, 'what' | 'bytes'>,
): Buffer | Promise<Buffer> {
  const values = { ...given, values: Buffer.from(given.yaml) };
  if (!mayTakeLong(values)) return checkValues(given);
  return checkInThread({ what: 'values', bytes: sizeOfValues(values), ...job }, given);
}

/** Which part of the values an error of `checkValues` is about. */
export function wrongPart(message: string): 'values' | 'set' | 'set_string' {
  const [, part] = /^(?:failed parsing )?(set|set_string)\[\d+\]/.exec(message) ?? [];
  return part === 'set' || part === 'set_string' ? part : 'values';
}
