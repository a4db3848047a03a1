import {
  createCopier,
  createWireToJson,
  limits,
  type MessageTypes,
  messageType,
  WireType,
  WireWriter,
  wireFields,
} from '../codec/index.ts';
import { whereItFits } from '../protocol/index.ts';
import { yamlToJson } from '../yaml/index.ts';
import { RequestFields } from './request-fields.ts';

/*
 * Replies as swift's clients get them. All of it may run in a thread.
 */

/** A message as JSON. Left out is what Tiller sends and swift, made with an older contract, never knew; over gRPC it is there. */
export const swiftJson = createWireToJson(new Set(['hapi.release.Hook.delete_timeout']));

/**
 * A reply in wire format as the JSON that swift's clients had.
 * @param type full name of the message
 * @throws MalformedMessage
 */
export function writeReply(type: string, reply: Uint8Array): Buffer {
  return swiftJson(messageType(type), reply);
}

/**
 * Replies up to here are written where they arrive: handing them to a thread and back costs half as much again as the
 * writing, and the worst of that size, nothing but empty fields or control characters, takes 50 ms.
 */
const maxReplyHereBytes = 1280 * 1024;

export const replyToJson = whereItFits(import.meta.url, writeReply, maxReplyHereBytes);

/** Where values stand in the answer, both as hapi.chart.Config. */
const configPaths = [
  ['release', 'config'],
  ['release', 'chart', 'values'],
];

/**
 * A GetReleaseContentResponse with its values as JSON text.
 * @throws MalformedMessage
 */
export function writeValuesAsJson(reply: Uint8Array): Uint8Array {
  return configPaths.reduce(
    (message, path) =>
      replaceField('hapi.services.tiller.GetReleaseContentResponse', message, path, configToJson),
    reply,
  );
}

export const valuesToJson = whereItFits(import.meta.url, writeValuesAsJson);

const config = 'hapi.chart.Config';
const copyConfig = createCopier(config, config, { omit: ['raw'] });

/**
 * A Config with its text as JSON; no text is `null`, as it is for swift. Text that is no YAML, or holds what JSON
 * cannot, stays as it is, so that the caller gets all of it in any case.
 */
function configToJson(wire: Uint8Array): Uint8Array {
  try {
    const json = yamlToJson(new RequestFields(config, wire).string('raw'), { maxNodes: limits.maxNodes });
    const out = new WireWriter(json.length + 64).bytesField(fieldNumber(config, 'raw'), Buffer.from(json));
    copyConfig(wire, 0, wire.length, out);
    return out.finish();
  } catch {
    return wire;
  }
}

/**
 * A message with the content of one nested field replaced; everything else stays the bytes it is.
 * @param path names of fields from the top to the field
 * @param replace takes the field's content and gives the new one
 * @throws MalformedMessage
 */
export function replaceField(
  type: keyof MessageTypes,
  message: Uint8Array,
  [name = '', ...rest]: readonly string[],
  replace: (content: Uint8Array) => Uint8Array,
): Uint8Array {
  const field = messageType(type).byName.get(name);
  if (typeof field?.type !== 'object' || field.type.kind !== 'message')
    throw new Error(`${type} has no ${name}`);
  const nested = field.type.name as keyof MessageTypes;
  const out = new WireWriter(message.length + 64);
  for (const part of wireFields(message)) {
    if (part.number !== field.number || part.wireType !== WireType.BYTES) {
      out.raw(message.subarray(part.start, part.end));
      continue;
    }
    const content = message.subarray(part.valueStart, part.end);
    out.bytesField(
      field.number,
      rest.length > 0 ? replaceField(nested, content, rest, replace) : replace(content),
    );
  }
  return out.finish();
}

function fieldNumber(type: keyof MessageTypes, name: string): number {
  const field = messageType(type).byName.get(name);
  if (!field) throw new Error(`${type} has no ${name}`);
  return field.number;
}
