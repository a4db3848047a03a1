import {
  jsonToWire,
  type MessageType,
  type Method,
  messageType,
  WireWriter,
  writeTextField,
} from '../codec/index.ts';
import type { Parameters } from '../http/index.ts';
import { invalidArgument, whereItFits } from '../protocol/index.ts';

/** Bound on what a query may hold; a longer one is a mistake, not a request. */
const maxParameters = 1000;

/**
 * What path and query say of the request message of a call, in wire format. The query binds every field that the path
 * does not, and the path overrules it: later fields win over earlier ones in wire format, so each is written behind the
 * other.
 * @param parameters values of the path's fields
 * @throws GatewayError INVALID_ARGUMENT that names the field
 */
export function bindRequest(
  { request: type }: Method,
  parameters: Parameters,
  query: URLSearchParams,
): Uint8Array {
  const rest = new WireWriter(64);
  bindQuery(type, parameters, query, rest);
  for (const [name, value] of Object.entries(parameters)) writeParameter(rest, type, name, value);
  return rest.finish();
}

/**
 * The request message with a body. May run in a thread.
 * @param type full name of the message
 * @param rest what path and query say, which overrule the body
 * @throws GatewayError INVALID_ARGUMENT that names the field, RESOURCE_EXHAUSTED for too many values
 */
export function bodyToMessage(type: string, body: Buffer, rest: Uint8Array): Uint8Array {
  const message = jsonToWire(messageType(type), body);
  return rest.length === 0 ? message : Buffer.concat([message, rest]);
}

export const jsonToMessage = whereItFits(import.meta.url, bodyToMessage);

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
