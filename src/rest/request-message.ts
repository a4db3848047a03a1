import { Busboy, type BusboyInstance } from '@fastify/busboy';
import {
  type Field,
  jsonToWire,
  type MessageType,
  type Method,
  messageType,
  WireType,
  WireWriter,
  writeTextField,
} from '../codec/index.ts';
import type { Parameters } from '../http/index.ts';
import { type GatewayError, invalidArgument, whereItFits } from '../protocol/index.ts';

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
  for (const [name, value] of Object.entries(parameters)) {
    const field = type.byName.get(name);
    if (!field || isMessage(field.type)) throw new Error(`${type.name} has no field ${name} for its path`);
    writeTextField(rest, field.number, field.type, value, name);
  }
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
    if (!field || field.map || isMessage(field.type) || parameters[field.name] !== undefined) continue;
    if (!field.repeated && seen.has(field.number)) continue;
    seen.add(field.number);
    writeTextField(out, field.number, field.type, value, key);
  }
}

export function isMessage(type: Field['type']): type is MessageType {
  return typeof type === 'object' && type.kind === 'message';
}

/** Far more parts than a request has fields. */
const maxParts = 200;

/** How much is parsed before others have their turn, and before a form that is refused is parsed no further. */
const sliceBytes = 64 * 1024;

interface Part {
  readonly name: string;
  readonly content: Buffer;
  readonly isFile: boolean;
}

/**
 * The request message of a `multipart/form-data` body. Each part is a field, `values.raw` a field of a field. A file's
 * bytes are the value as they are; text is read as in a query, and as JSON where the field is a message. May run in a
 * thread.
 * @param contentType with the boundary
 * @param type full name of the message
 * @param rest the message of query and path, which overrule the form
 * @throws GatewayError INVALID_ARGUMENT that names the part
 */
export async function multipartToMessage(
  contentType: string,
  type: string,
  body: Buffer,
  rest: Uint8Array,
): Promise<Uint8Array> {
  const out = new WireWriter(body.length + 64);
  for (const part of await readParts(contentType, body))
    writePart(out, messageType(type), part.name.split('.'), part);
  return out.raw(rest).finish();
}

export const formToMessage = whereItFits(import.meta.url, multipartToMessage);

function writePart(out: WireWriter, type: MessageType, path: readonly string[], part: Part): void {
  const [name = '', ...rest] = path;
  const field = type.byName.get(name);
  if (!field) return;
  if (field.map) throw invalidArgument(`${part.name}: a map cannot be sent as a part of a form`);
  const { number, type: kind } = field;
  if (isMessage(kind)) {
    if (rest.length === 0) return void out.bytesField(number, jsonToWire(kind, part.content));
    const mark = out.tag(number, WireType.BYTES).open();
    writePart(out, kind, rest, part);
    out.close(mark);
  } else if (rest.length === 0) {
    if (part.isFile && (kind === 'bytes' || kind === 'string')) out.bytesField(number, part.content);
    else writeTextField(out, number, kind, part.content.toString(), part.name);
  }
}

async function readParts(contentType: string, body: Buffer): Promise<Part[]> {
  const { promise, resolve, reject } = Promise.withResolvers<Part[]>();
  const parts: Part[] = [];
  let isOver = false;
  const refuse = (error: GatewayError) => {
    isOver = true;
    reject(error);
  };
  // busboy gives such a part all the same
  const refuseNameless = () => refuse(invalidArgument('a part of the form has no name'));
  const parser = createParser(contentType, body.length);
  parser.on('field', (name: string | undefined, value) => {
    if (name === undefined) refuseNameless();
    else parts.push({ name, content: Buffer.from(value), isFile: false });
  });
  parser.on('file', (name: string | undefined, stream) => {
    if (name === undefined) refuseNameless();
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('error', cause => refuse(invalidArgument('the form is cut off', { cause })));
    stream.on('end', () => parts.push({ name: name ?? '', content: Buffer.concat(chunks), isFile: true }));
  });
  parser.on('partsLimit', () => refuse(invalidArgument(`the form has more than ${maxParts} parts`)));
  parser.on('error', (cause: unknown) =>
    refuse(invalidArgument('the form is malformed or cut off', { cause })),
  );
  parser.on('finish', () => resolve(parts));
  const feed = (start: number): void => {
    if (isOver) return;
    if (start >= body.length) return void parser.end();
    parser.write(body.subarray(start, start + sliceBytes));
    setImmediate(feed, start + sliceBytes);
  };
  feed(0);
  return promise;
}

function createParser(contentType: string, maxBytes: number): BusboyInstance {
  try {
    return new Busboy({
      headers: { 'content-type': contentType },
      limits: { parts: maxParts, fieldSize: maxBytes, fileSize: maxBytes, fieldNameSize: 200 },
    });
  } catch (cause) {
    throw invalidArgument('the Content-Type of the form has no usable boundary', { cause });
  }
}
