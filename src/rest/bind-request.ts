import { jsonToWire, type MessageType, type Method, WireWriter, writeTextField } from '../codec/index.ts';
import type { Parameters } from '../http/index.ts';
import { invalidArgument } from '../protocol/index.ts';

/** Bound on what a query may hold; a longer one is a mistake, not a request. */
const maxParameters = 1000;

/**
 * The request message of a call, in wire format: what the body says, overruled by the query (which binds every field
 * that the path does not), overruled by the path. Later fields win over earlier ones in wire format, so each is
 * written behind the other.
 * @param parameters values of the path's fields
 * @param body the JSON text, where the route takes one
 * @throws GatewayError INVALID_ARGUMENT that names the field
 */
export function bindRequest(
  { request: type }: Method,
  parameters: Parameters,
  query: URLSearchParams,
  body?: Buffer,
): Uint8Array {
  const rest = new WireWriter(64);
  bindQuery(type, parameters, query, rest);
  for (const [name, value] of Object.entries(parameters)) writeParameter(rest, type, name, value);
  const tail = rest.finish();
  if (!body) return tail;
  const message = jsonToWire(type, body);
  return tail.length === 0 ? message : Buffer.concat([message, tail]);
}

/**
 * Both spellings of a name are read. A key that comes again adds to a repeated field; of a scalar the first counts.
 * Keys that are no field, and messages, which no text can give, are ignored: swift ignored them as well.
 */
function bindQuery(type: MessageType, parameters: Parameters, query: URLSearchParams, out: WireWriter): void {
  const seen = new Set<number>();
  let count = 0;
  for (const [key, value] of query) {
    if (++count > maxParameters) throw invalidArgument(`the query has more than ${maxParameters} parameters`);
    const field = type.byName.get(key);
    if (!field || field.map || parameters[field.name] !== undefined) continue;
    if (typeof field.type === 'object' && field.type.kind === 'message') continue;
    if (!field.repeated && seen.has(field.number)) continue;
    seen.add(field.number);
    writeTextField(out, field.number, field.type, value, key);
  }
}

function writeParameter(out: WireWriter, type: MessageType, name: string, value: string): void {
  const field = type.byName.get(name);
  if (!field || (typeof field.type === 'object' && field.type.kind === 'message')) {
    throw new Error(`${type.name} has no field ${name} for its path`);
  }
  writeTextField(out, field.number, field.type, value, name);
}
