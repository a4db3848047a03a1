import { Busboy, type BusboyInstance } from '@fastify/busboy';
import {
  jsonToWire,
  type MessageType,
  messageType,
  WireType,
  WireWriter,
  writeTextField,
} from '../codec/index.ts';
import { type GatewayError, invalidArgument, whereItFits } from '../protocol/index.ts';

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
  const isMessage = typeof field.type === 'object' && field.type.kind === 'message';
  if (isMessage && typeof field.type === 'object' && field.type.kind === 'message') {
    if (field.map) throw invalidArgument(`${part.name}: a map cannot be sent as a part of a form`);
    if (rest.length === 0) {
      out.bytesField(field.number, jsonToWire(field.type, part.content));
      return;
    }
    const mark = out.tag(field.number, WireType.BYTES).open();
    writePart(out, field.type, rest, part);
    out.close(mark);
  } else if (rest.length === 0 && part.isFile && (field.type === 'bytes' || field.type === 'string')) {
    out.bytesField(field.number, part.content);
  } else if (rest.length === 0) {
    writeTextField(
      out,
      field.number,
      field.type as Exclude<typeof field.type, MessageType>,
      part.content.toString(),
      part.name,
    );
  }
}

function readParts(contentType: string, body: Buffer): Promise<Part[]> {
  return new Promise((resolve, reject) => {
    const parts: Part[] = [];
    let isOver = false;
    const refuse = (error: GatewayError) => {
      isOver = true;
      reject(error);
    };
    let parser: BusboyInstance;
    try {
      parser = new Busboy({
        headers: { 'content-type': contentType },
        limits: { parts: maxParts, fieldSize: body.length, fileSize: body.length, fieldNameSize: 200 },
      });
    } catch (cause) {
      return refuse(invalidArgument('the Content-Type of the form has no usable boundary', { cause }));
    }
    parser.on('field', (name: string | undefined, value) => {
      if (name === undefined) refuse(nameless());
      else parts.push({ name, content: Buffer.from(value), isFile: false });
    });
    parser.on('file', (name: string | undefined, stream) => {
      if (name === undefined) refuse(nameless());
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
  });
}

/** busboy gives such a part all the same. */
function nameless(): GatewayError {
  return invalidArgument('a part of the form has no name');
}
