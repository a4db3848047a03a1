import { computeValues } from '../charts/index.ts';
import {
  type Copier,
  createCopier,
  decodeMessage,
  jsonToWire,
  messageType,
  WireWriter,
} from '../codec/index.ts';
import { type CallContext, Code, GatewayError, invalidArgument, whereItFits } from '../protocol/index.ts';
import { goJson, parseYaml, type YamlMap } from '../yaml/index.ts';
import { readOne } from './read-source.ts';
import { RequestFields, SwiftRequest } from './request-fields.ts';
import { valuesToJson } from './swift-json.ts';
import type { UnaryCall } from './tiller-request.ts';

/** The most revisions that the Helm client asks for; Tiller takes 0 for none. */
const defaultMax = 256n;

/** Revisions of a release, newest first. */
export const getHistory: UnaryCall = async (backend, wire, context) => {
  const request = new SwiftRequest('GetHistory', wire);
  const max = request.integer('max');
  if (max < 0n) throw invalidArgument(`max: ${max} is negative`);
  const ofTiller = request.toTiller('GetHistory', { max: max || defaultMax });
  return readOne(backend, 'GetHistory', ofTiller, context, request.release);
};

const statusResponse = 'appscode.swift.v2.GetReleaseStatusResponse';
const withoutResources = createCopier(statusResponse, statusResponse, {
  nested: {
    info: createCopier('hapi.release.Info', 'hapi.release.Info', {
      nested: { status: createCopier('hapi.release.Status', 'hapi.release.Status', { omit: ['resources'] }) },
    }),
  },
});

/** State of a release. The table of its resources is Tiller's to make; without it, and for Helm 3, records have it all. */
export const getReleaseStatus: UnaryCall = async (backend, wire, context) => {
  const request = new SwiftRequest('GetReleaseStatus', wire);
  const skipResources = request.boolean('skip_resources');
  const needsTiller = skipResources ? undefined : 'the table of resources is made by Tiller (skip_resources)';
  const wanted = { ...request.release, needsTiller };
  const reply = await readOne(
    backend,
    'GetReleaseStatus',
    request.toTiller('GetReleaseStatus'),
    context,
    wanted,
  );
  return skipResources ? copied(withoutResources, reply) : reply;
};

/** One revision of a release, whole; its values as JSON text where that is asked for. */
export const getReleaseContent: UnaryCall = async (backend, wire, context) => {
  const request = new SwiftRequest('GetReleaseContent', wire);
  const asJson = request.boolean('format_values_as_json');
  const ofTiller = request.toTiller('GetReleaseContent');
  const reply = await readOne(backend, 'GetReleaseContent', ofTiller, context, request.release);
  return asJson ? valuesToJson({ ...context, what: 'the reply', bytes: reply.length }, reply) : reply;
};

type Part = 'GetReleaseManifest' | 'GetReleaseHooks' | 'GetReleaseNotes' | 'GetReleaseValues';

const releaseType = 'hapi.release.Release';
const notesResponse = 'appscode.swift.v2.GetReleaseNotesResponse';
const valuesResponse = 'appscode.swift.v2.GetReleaseValuesResponse';

export const getReleaseManifest = partOf(
  'GetReleaseManifest',
  createCopier(releaseType, 'appscode.swift.v2.GetReleaseManifestResponse'),
);
export const getReleaseHooks = partOf(
  'GetReleaseHooks',
  createCopier(releaseType, 'appscode.swift.v2.GetReleaseHooksResponse'),
);
export const getReleaseNotes = partOf(
  'GetReleaseNotes',
  createCopier(releaseType, notesResponse, {
    flatten: {
      info: createCopier('hapi.release.Info', notesResponse, {
        flatten: { status: createCopier('hapi.release.Status', notesResponse) },
      }),
    },
  }),
);

/** The values of a revision: those given, or with `all` the computed ones. */
export const getReleaseValues: UnaryCall = async (backend, wire, context) => {
  const request = new SwiftRequest('GetReleaseValues', wire);
  const release = await readRevision(backend, request, context);
  const job = { ...context, what: 'the release', bytes: release.length };
  return valuesWhereItFits(job, release, request.boolean('all'));
};

/** A part of one revision, from its content. */
function partOf(part: Part, copy: Copier): UnaryCall {
  return async (backend, wire, context) =>
    copied(copy, await readRevision(backend, new SwiftRequest(part, wire), context));
}

/** The whole revision that a request for a part is for, as `hapi.release.Release`. */
async function readRevision(
  backend: Parameters<UnaryCall>[0],
  request: SwiftRequest<Part>,
  context: CallContext,
): Promise<Uint8Array> {
  const ofTiller = request.toTiller('GetReleaseContent');
  return releaseIn(await readOne(backend, 'GetReleaseContent', ofTiller, context, request.release));
}

/** The release in a GetReleaseContentResponse. */
export function releaseIn(content: Uint8Array): Uint8Array {
  const fields = new RequestFields('hapi.services.tiller.GetReleaseContentResponse', content);
  return fields.message('release') ?? new Uint8Array();
}

function copied(copy: Copier, wire: Uint8Array): Buffer {
  const out = new WireWriter(1024);
  copy(wire, 0, wire.length, out);
  return out.finish();
}

const copyHead = createCopier(releaseType, valuesResponse);

/**
 * A GetReleaseValuesResponse. May run in a thread.
 * @param release whole
 * @throws GatewayError FAILED_PRECONDITION where the stored values cannot be merged
 */
export function writeReleaseValues(release: Uint8Array, all: boolean): Uint8Array {
  const fields = new RequestFields(releaseType, release);
  const { raw: given } = decodeMessage('hapi.chart.Config', fields.message('config') ?? new Uint8Array());
  const { map, raw } = all ? computed(fields, given) : { map: mapOf(given), raw: given };
  const out = new WireWriter(raw.length * 2 + 256);
  copyHead(release, 0, release.length, out);
  out.stringField(messageType(valuesResponse).byName.get('raw')!.number, raw);
  return out.raw(structOf(map)).finish();
}

const valuesWhereItFits = whereItFits(import.meta.url, writeReleaseValues);

function computed(fields: RequestFields<typeof releaseType>, given: string): { map: YamlMap; raw: string } {
  const chart = decodeMessage('hapi.chart.Chart', fields.message('chart') ?? new Uint8Array());
  try {
    return computeValues(chart, given);
  } catch (cause) {
    const message = `the stored values cannot be read: ${GatewayError.from(cause).message}`;
    throw new GatewayError(Code.FAILED_PRECONDITION, message, { cause });
  }
}

function mapOf(given: string): YamlMap | undefined {
  try {
    const value = parseYaml(given) ?? new Map();
    return value instanceof Map ? value : undefined;
  } catch {
    return undefined; // the text is in the answer all the same
  }
}

/** The field `values` of the response; nothing where JSON has no such values, or a message cannot hold them. */
function structOf(map: YamlMap | undefined): Uint8Array {
  if (!map) return new Uint8Array();
  try {
    return jsonToWire(messageType(valuesResponse), Buffer.from(`{"values":${goJson(map)}}`));
  } catch {
    return new Uint8Array();
  }
}
