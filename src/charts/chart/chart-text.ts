import { limits } from '../../codec/index.ts';
import { GatewayError, invalidArgument } from '../../protocol/index.ts';
import { parseYaml, type YamlBounds, type YamlMap, type YamlValue } from '../../yaml/index.ts';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Text of bytes that must be UTF-8, byte order mark included; undefined when they are not. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}

/**
 * Text of a chart's file.
 * @throws GatewayError INVALID_ARGUMENT when it is not UTF-8, which no text in a message to Tiller may be
 */
export function readText(data: Uint8Array, where: string): string {
  const text = decodeUtf8(data);
  if (text === undefined) throw invalidArgument(`${where} is not UTF-8`);
  return text;
}

/** What one YAML text of a chart or a request may be: as many values as a request may have in all, far above real ones. */
export const textBounds = { maxLength: 8 * 1024 * 1024, maxNodes: limits.maxNodes };

/** Whether a YAML text may have anchors, by which a few bytes make any number of values. */
export function mayExpand(text: Uint8Array): boolean {
  return text.includes(0x26) && /(?:^|[\s,[{:?-])&[\w-]/.test(Buffer.from(text).toString('latin1'));
}

/**
 * A YAML map; an empty text or null is an empty one.
 * @throws GatewayError INVALID_ARGUMENT, with `where` in front, when the text is something else
 */
export function readYamlMap(text: string, where: string, bounds: Partial<YamlBounds> = textBounds): YamlMap {
  const value = parseNamed(text, where, bounds) ?? new Map();
  if (value instanceof Map) return value;
  throw invalidArgument(`${where}: must be a map`);
}

function parseNamed(text: string, where: string, bounds: Partial<YamlBounds>): YamlValue {
  try {
    return parseYaml(text, bounds);
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    throw new GatewayError(error.code, `${where}: ${error.message}`, { cause: error });
  }
}

/** Puts a source's name before the message of a GatewayError that does not begin with it; other errors stay as they are. */
export function withSource(error: unknown, name: string): unknown {
  if (!(error instanceof GatewayError) || error.message.startsWith(name)) return error;
  return new GatewayError(error.code, `${name}: ${error.message}`, { cause: error });
}
