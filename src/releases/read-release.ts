import type { TillerBackend } from '../backends/index.ts';
import { createCopier, WireWriter } from '../codec/index.ts';
import { type CallContext, invalidArgument } from '../protocol/index.ts';
import { readOne } from './read-source.ts';
import { RequestFields } from './request-fields.ts';
import { valuesToJson } from './swift-json.ts';
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
  const { signal, hold } = context;
  return valuesToJson({ what: 'the reply', bytes: reply.length, signal, hold }, reply);
}
