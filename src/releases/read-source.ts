import { notInNamespace, type Records, type TillerBackend } from '../backends/index.ts';
import { type CallContext, Code, GatewayError, withoutLocalPaths } from '../protocol/index.ts';
import { type ReleaseName, RequestFields } from './request-fields.ts';
import { checkTillerRequest } from './tiller-request.ts';
import { TillerSession } from './tiller-session.ts';

/** How long reads wait for the first list, where nobody but the records may answer. */
const startMs = 20_000;

/** The reads that have one reply. */
export type UnaryRead = 'GetHistory' | 'GetReleaseContent' | 'GetReleaseStatus';

/** Which release a read is for. */
export interface Wanted extends ReleaseName {
  /** Why only Tiller can answer for a release of Helm 2. */
  readonly needsTiller?: string | undefined;
}

/**
 * The one place that chooses who answers a read, and says so: the cluster's records where they can, else its Tiller. Records
 * have to show what was written through this gateway, and what the client knows of.
 * @param request of `hapi.services.tiller`
 * @returns undefined for Tiller
 */
export async function recordsFor(
  { records }: TillerBackend,
  method: UnaryRead | 'ListReleases',
  request: Uint8Array,
  context: CallContext,
  wanted?: Wanted,
): Promise<Records | undefined> {
  const why = records && (await whyTiller(records, method, request, wanted, context));
  if (records && why === undefined) {
    context.readsFrom?.(`records; age=${ageOf(records)}ms`);
    return records;
  }
  context.readsFrom?.(why === undefined ? 'tiller' : `tiller; reason="${headerText(why)}"`);
  return undefined;
}

async function whyTiller(
  records: Records,
  method: string,
  request: Uint8Array,
  wanted: Wanted | undefined,
  { consistency, signal }: CallContext,
): Promise<string | undefined> {
  const isHelm3 = isOfHelm3(records, wanted);
  const isOnly = records.only || isHelm3;
  if (wanted?.needsTiller !== undefined && !isHelm3) return wanted.needsTiller;
  if (consistency?.consistent) {
    if (!isOnly) return 'consistent was asked for';
    const why = records.only
      ? 'this gateway never asks it for reads (--reads records)'
      : 'the release is of Helm 3';
    throw new GatewayError(Code.FAILED_PRECONDITION, `consistent: only Tiller can answer, and ${why}`);
  }
  if (!records.answers(method, request)) {
    if (!isOnly) return records.report().reason ?? 'records cannot answer this';
    await records.settle(method, request, AbortSignal.any([signal, AbortSignal.timeout(startMs)]));
  }
  const missing = await records.writes.settle(wanted?.name, consistency?.minRevisions ?? new Map(), signal);
  if (missing === undefined || isOnly) return undefined;
  return `records do not show ${missing} yet`;
}

/** Tiller would say of such a release that it is not there, so it is never asked. */
function isOfHelm3(records: Records, wanted: Wanted | undefined): boolean {
  return wanted !== undefined && records.storageOf(wanted.name, wanted.namespace || undefined) === 'helm3';
}

function ageOf(records: Records): number {
  const { ageMs } = records.report();
  return Number.isFinite(ageMs) ? Math.round(ageMs) : 0;
}

/** What a quoted text in a header may hold. */
function headerText(text: string): string {
  return withoutLocalPaths(text)
    .replace(/[^ -~]|["\\]/g, "'")
    .slice(0, 200);
}

/**
 * A read with one reply. Where a record has to be fetched and cannot be, Tiller is asked.
 * @throws GatewayError NOT_FOUND for a release that is in another namespace than the wanted one
 */
export async function readOne(
  backend: TillerBackend,
  method: UnaryRead,
  request: Uint8Array,
  context: CallContext,
  wanted: Wanted,
): Promise<Uint8Array> {
  const records = await recordsFor(backend, method, request, context, wanted);
  const { name, namespace } = wanted;
  if (records) {
    const checked = checkTillerRequest(method, request);
    try {
      return await records.unary(method, checked, context, { namespace: namespace || undefined });
    } catch (error) {
      const isUnreachable = error instanceof GatewayError && error.code === Code.UNAVAILABLE;
      const isOnly = records.only || isOfHelm3(records, wanted);
      if (!isUnreachable || isOnly || context.signal.aborted) throw error;
      context.readsFrom?.(`tiller; reason="${headerText(error.message)}"`);
    }
  }
  const reply = await new TillerSession(backend.tiller, context).ask(method, request);
  if (namespace !== '' && namespaceOf(method, reply) !== namespace) throw notInNamespace(name, namespace);
  return reply;
}

/** Of the release in Tiller's reply; undefined where there is none. */
function namespaceOf(method: UnaryRead, reply: Uint8Array): string | undefined {
  if (method === 'GetReleaseStatus')
    return new RequestFields('hapi.services.tiller.GetReleaseStatusResponse', reply).string('namespace');
  const release =
    method === 'GetHistory'
      ? new RequestFields('hapi.services.tiller.GetHistoryResponse', reply).messages('releases')[0]
      : new RequestFields('hapi.services.tiller.GetReleaseContentResponse', reply).message('release');
  return release && new RequestFields('hapi.release.Release', release).string('namespace');
}
