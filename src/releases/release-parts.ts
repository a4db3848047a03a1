import type { TillerBackend } from '../backends/index.ts';
import { computeValues } from '../charts/index.ts';
import {
  type Copier,
  createCopier,
  decodeMessage,
  jsonToWire,
  messageType,
  WireWriter,
} from '../codec/index.ts';
import { type CallContext, Code, GatewayError, whereItFits } from '../protocol/index.ts';
import { goJson, parseYaml, type YamlMap } from '../yaml/index.ts';
import { readOne } from './read-source.ts';
import { RequestFields } from './request-fields.ts';
import { createToTiller } from './tiller-request.ts';

/*
 * Parts of one revision, from its content: from records where reads are, else from Tiller.
 */

type Part = 'Manifest' | 'Hooks' | 'Notes' | 'Values';
type RequestType<P extends Part> = `appscode.swift.v2.GetRelease${P}Request`;
type ResponseType<P extends Part> = `appscode.swift.v2.GetRelease${P}Response`;

const releaseType = 'hapi.release.Release';
const valuesResponse = 'appscode.swift.v2.GetReleaseValuesResponse';

export const getReleaseManifest = partOf('Manifest', createCopier(releaseType, responseOf('Manifest')));
export const getReleaseHooks = partOf('Hooks', createCopier(releaseType, responseOf('Hooks')));
export const getReleaseNotes = partOf(
  'Notes',
  createCopier(releaseType, responseOf('Notes'), {
    flatten: {
      info: createCopier('hapi.release.Info', responseOf('Notes'), {
        flatten: { status: createCopier('hapi.release.Status', responseOf('Notes')) },
      }),
    },
  }),
);

/** The values of a revision: those given, or with `all` the computed ones. */
export async function getReleaseValues(
  backend: TillerBackend,
  swift: Uint8Array,
  context: CallContext,
): Promise<Uint8Array> {
  const { release, fields } = await readContent('Values', backend, swift, context);
  const { signal, hold } = context;
  const job = { what: 'the release', bytes: release.length, signal, hold };
  return valuesWhereItFits(job, release, fields.boolean('all'));
}

function responseOf<P extends Part>(part: P): ResponseType<P> {
  return `appscode.swift.v2.GetRelease${part}Response`;
}

function partOf(part: Part, copy: Copier) {
  return async (backend: TillerBackend, swift: Uint8Array, context: CallContext): Promise<Uint8Array> => {
    const { release } = await readContent(part, backend, swift, context);
    const out = new WireWriter(1024);
    copy(release, 0, release.length, out);
    return out.finish();
  };
}

const toContent = {
  Manifest: createToTiller(requestOf('Manifest'), 'hapi.services.tiller.GetReleaseContentRequest'),
  Hooks: createToTiller(requestOf('Hooks'), 'hapi.services.tiller.GetReleaseContentRequest'),
  Notes: createToTiller(requestOf('Notes'), 'hapi.services.tiller.GetReleaseContentRequest'),
  Values: createToTiller(requestOf('Values'), 'hapi.services.tiller.GetReleaseContentRequest'),
};

function requestOf<P extends Part>(part: P): RequestType<P> {
  return `appscode.swift.v2.GetRelease${part}Request`;
}

/** The whole revision that a request for a part is for, as `hapi.release.Release`. */
async function readContent<P extends Part>(
  part: P,
  backend: TillerBackend,
  swift: Uint8Array,
  context: CallContext,
): Promise<{ release: Uint8Array; fields: RequestFields<RequestType<P>> }> {
  const fields = new RequestFields(requestOf(part), swift);
  const wanted = { name: fields.string('name' as never), namespace: fields.string('namespace' as never) };
  const reply = await readOne(backend, 'GetReleaseContent', toContent[part](swift), context, wanted);
  return { release: releaseIn(reply), fields };
}

/** The release in a GetReleaseContentResponse. */
export function releaseIn(content: Uint8Array): Uint8Array {
  const fields = new RequestFields('hapi.services.tiller.GetReleaseContentResponse', content);
  return fields.message('release') ?? new Uint8Array();
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
    const { message } = GatewayError.from(cause);
    throw new GatewayError(Code.FAILED_PRECONDITION, `the stored values cannot be read: ${message}`, {
      cause,
    });
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
