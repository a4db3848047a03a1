import type { TillerBackend } from '../backends/index.ts';
import {
  createCopier,
  type MessageTypes,
  messageType,
  WireType,
  WireWriter,
  wireFields,
} from '../codec/index.ts';
import { type CallContext, invalidArgument } from '../protocol/index.ts';
import { yamlToJson } from '../yaml/index.ts';
import { readOne } from './read-source.ts';
import { RequestFields } from './request-fields.ts';
import { createToTiller } from './tiller-request.ts';

const swiftHistory = 'appscode.swift.v2.GetHistoryRequest';
const swiftContent = 'appscode.swift.v2.GetReleaseContentRequest';
const toHistory = createToTiller(swiftHistory, 'hapi.services.tiller.GetHistoryRequest', ['max']);
const toContent = createToTiller(swiftContent, 'hapi.services.tiller.GetReleaseContentRequest');

/** The most revisions that the Helm client asks for; Tiller takes 0 for none. */
const defaultMax = 256n;

/** Revisions of a release, newest first. */
export async function getHistory(
  backend: TillerBackend,
  swift: Uint8Array,
  context: CallContext,
): Promise<Uint8Array> {
  const fields = new RequestFields(swiftHistory, swift);
  const max = fields.integer('max');
  if (max < 0n) throw invalidArgument(`max: ${max} is negative`);
  const request = toHistory(swift, { max: max || defaultMax });
  const wanted = { name: fields.string('name'), namespace: fields.string('namespace') };
  return readOne(backend, 'GetHistory', request, context, wanted);
}

const swiftStatus = 'appscode.swift.v2.GetReleaseStatusRequest';
const toStatus = createToTiller(swiftStatus, 'hapi.services.tiller.GetReleaseStatusRequest');
const statusReply = 'hapi.services.tiller.GetReleaseStatusResponse';
const withoutResources = createCopier(statusReply, 'appscode.swift.v2.GetReleaseStatusResponse', {
  nested: {
    info: createCopier('hapi.release.Info', 'hapi.release.Info', {
      nested: { status: createCopier('hapi.release.Status', 'hapi.release.Status', { omit: ['resources'] }) },
    }),
  },
});

/** State of a release. The table of its resources is Tiller's to make; without it, and for Helm 3, records have it all. */
export async function getReleaseStatus(
  backend: TillerBackend,
  swift: Uint8Array,
  context: CallContext,
): Promise<Uint8Array> {
  const fields = new RequestFields(swiftStatus, swift);
  const skipResources = fields.boolean('skip_resources');
  const wanted = { name: fields.string('name'), namespace: fields.string('namespace') };
  const needsTiller = skipResources ? undefined : 'the table of resources is made by Tiller (skip_resources)';
  const reply = await readOne(backend, 'GetReleaseStatus', toStatus(swift), context, {
    ...wanted,
    needsTiller,
  });
  if (!skipResources) return reply;
  const out = new WireWriter(reply.length);
  withoutResources(reply, 0, reply.length, out);
  return out.finish();
}

/** Where values stand in the answer, both as hapi.chart.Config. */
const configPaths = [
  ['release', 'config'],
  ['release', 'chart', 'values'],
];

/** One revision of a release, whole; its values as JSON text where that is asked for. */
export async function getReleaseContent(
  backend: TillerBackend,
  swift: Uint8Array,
  context: CallContext,
): Promise<Uint8Array> {
  const fields = new RequestFields(swiftContent, swift);
  const asJson = fields.boolean('format_values_as_json');
  const wanted = { name: fields.string('name'), namespace: fields.string('namespace') };
  const reply = await readOne(backend, 'GetReleaseContent', toContent(swift), context, wanted);
  if (!asJson) return reply;
  return configPaths.reduce(
    (message, path) =>
      replaceField('hapi.services.tiller.GetReleaseContentResponse', message, path, configToJson),
    reply,
  );
}

const config = 'hapi.chart.Config';
const copyConfig = createCopier(config, config, { omit: ['raw'] });

/**
 * A Config with its text as JSON; no text is `null`, as it is for swift. Text that is no YAML, or holds what JSON
 * cannot, stays as it is, so that the caller gets all of it in any case.
 */
function configToJson(wire: Uint8Array): Uint8Array {
  try {
    const json = yamlToJson(new RequestFields(config, wire).string('raw'));
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
