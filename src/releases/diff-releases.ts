import { notInNamespace, type TillerBackend } from '../backends/index.ts';
import type { Charts } from '../charts/index.ts';
import { decodeMessage, encodeMessage, type Release } from '../codec/index.ts';
import { type CallContext, inThread, invalidArgument } from '../protocol/index.ts';
import { decodeRequest } from './answer.ts';
import { compareRevisions } from './diff/compare-revisions.ts';
import type { Rendered } from './diff/read-documents.ts';
import { readChartRequest } from './install-release.ts';
import { isReleaseNotFound, maxRevisions } from './look-at-release.ts';
import { readOne } from './read-source.ts';
import { releaseIn } from './release-parts.ts';
import { RequestFields } from './request-fields.ts';
import { askTiller, createToTiller } from './tiller-request.ts';

const revisionsRequest = 'appscode.swift.v2.DiffRevisionsRequest';
const releaseRequest = 'appscode.swift.v2.DiffReleaseRequest';
const toUpgrade = createToTiller(releaseRequest, 'hapi.services.tiller.UpdateReleaseRequest', [
  'chart',
  'values',
]);
const toInstall = createToTiller(releaseRequest, 'hapi.services.tiller.InstallReleaseRequest', [
  'chart',
  'values',
  'namespace',
]);

/** What differs between two revisions, by default the latest and the one before. */
export async function diffRevisions(
  backend: TillerBackend,
  swift: Uint8Array,
  context: CallContext,
  showSecrets: boolean,
): Promise<Uint8Array> {
  const { name, namespace, from, to } = decodeRequest(revisionsRequest, swift);
  if (from < 0) throw invalidArgument(`from: ${from} is negative`);
  if (to < 0) throw invalidArgument(`to: ${to} is negative`);
  const wanted = { name, namespace };
  const after = await readRevision(backend, { ...wanted, version: to }, context);
  const version = from || versionOf(after) - 1;
  const before = version > 0 ? await readRevision(backend, { ...wanted, version }, context) : undefined;
  return compare({ before, after, showSecrets }, context);
}

/** What an upgrade, or a rollback to `version`, would change. */
export async function diffRelease(
  backend: TillerBackend,
  charts: Charts,
  swift: Uint8Array,
  context: CallContext,
  showSecrets: boolean,
): Promise<Uint8Array> {
  const fields = new RequestFields(releaseRequest, swift);
  const wanted = { name: fields.string('name'), namespace: fields.string('namespace') };
  const version = Number(fields.integer('version'));
  if (version < 0) throw invalidArgument(`version: ${version} is negative`);
  if (version > 0) {
    if (fields.has('chart') || fields.bytes('chart_archive') || fields.string('chart_url') !== '')
      throw invalidArgument('version is for a rollback, which takes no chart');
    const before = await readRevision(backend, wanted, context);
    const after = await readRevision(backend, { ...wanted, version }, context);
    return compare({ before, after, showSecrets }, context);
  }
  const given = await charts.resolve(readChartRequest(fields), context.signal, context.hold);
  const before = await deployedRevision(backend, wanted, fields.boolean('install'), context);
  const { tiller } = backend;
  const namespace = wanted.namespace || 'default';
  const reply = before
    ? await askTiller(tiller, 'UpdateRelease', toUpgrade(swift, { ...given, ...dry }), context)
    : await askTiller(tiller, 'InstallRelease', toInstall(swift, { ...given, namespace, ...dry }), context);
  return compare({ before, after: releaseIn(reply), showSecrets }, context);
}

const dry = { dry_run: 1 };

async function readRevision(
  backend: TillerBackend,
  { version = 0, ...wanted }: { name: string; namespace: string; version?: number },
  context: CallContext,
): Promise<Uint8Array> {
  const request = encodeMessage('hapi.services.tiller.GetReleaseContentRequest', {
    name: wanted.name,
    version,
  });
  return releaseIn(await readOne(backend, 'GetReleaseContent', request, context, wanted));
}

/**
 * What Tiller's upgrade starts from, by Tiller itself: its dry run is of Helm 2's release. Undefined for a release that
 * `install` would install.
 */
async function deployedRevision(
  { tiller }: TillerBackend,
  { name, namespace }: { name: string; namespace: string },
  canInstall: boolean,
  context: CallContext,
): Promise<Uint8Array | undefined> {
  const history = async (max: number) => {
    const request = encodeMessage('hapi.services.tiller.GetHistoryRequest', { name, max });
    const reply = await askTiller(tiller, 'GetHistory', request, context);
    return new RequestFields('hapi.services.tiller.GetHistoryResponse', reply).messages('releases');
  };
  const [latest] = await history(1).catch(error => {
    if (canInstall && isReleaseNotFound(error)) return [];
    throw error;
  });
  const isOfAnother = latest && namespace !== '' && namespaceOf(latest) !== namespace;
  if (!latest || isOfAnother) {
    if (canInstall) return undefined;
    throw notInNamespace(name, namespace);
  }
  if (statusOf(latest) === 'DEPLOYED') return latest;
  return (await history(maxRevisions)).find(release => statusOf(release) === 'DEPLOYED') ?? latest;
}

function namespaceOf(release: Uint8Array): string {
  return new RequestFields('hapi.release.Release', release).string('namespace');
}

function statusOf(release: Uint8Array): string | undefined {
  const info = new RequestFields('hapi.release.Release', release).message('info');
  return info && decodeMessage('hapi.release.Info', info).status?.code;
}

function versionOf(release: Uint8Array): number {
  return Number(new RequestFields('hapi.release.Release', release).integer('version'));
}

interface Comparison {
  /** `hapi.release.Release`; undefined for nothing. */
  readonly before: Uint8Array | undefined;
  readonly after: Uint8Array;
  readonly showSecrets: boolean;
}

/**
 * Bytes up to which revisions are compared right where they are asked for. Lines that all differ take more time than their
 * bytes take to be translated, so that it is less than there.
 */
const maxHereBytes = 16 * 1024;

function compare(comparison: Comparison, { signal, hold }: CallContext): Uint8Array | Promise<Uint8Array> {
  const bytes = (comparison.before?.length ?? 0) + comparison.after.length;
  if (bytes <= maxHereBytes) return writeComparison(comparison);
  return compareInThread({ what: 'the comparison', bytes, signal, hold }, comparison);
}

/** A DiffRevisionsResponse, which a DiffReleaseResponse equals. May run in a thread. */
export function writeComparison({ before, after, showSecrets }: Comparison): Uint8Array {
  const old = before && decodeMessage('hapi.release.Release', before);
  const young = decodeMessage('hapi.release.Release', after);
  const from = old?.version ?? 0;
  const { name, namespace, version: to } = young;
  const titles = [from === 0 ? 'nothing' : `revision ${from}`, `revision ${to}`] as const;
  const objects = compareRevisions(old && renderedOf(old), renderedOf(young), { showSecrets, titles });
  const count = (change: string) => objects.filter(object => object.change === change).length;
  return encodeMessage('appscode.swift.v2.DiffRevisionsResponse', {
    name,
    namespace,
    from,
    to,
    added: count('ADDED'),
    removed: count('REMOVED'),
    changed: count('CHANGED'),
    unchanged: count('UNCHANGED'),
    objects,
  });
}

const compareInThread = inThread(import.meta.url, writeComparison);

function renderedOf({ manifest, hooks }: Release): Rendered {
  return { manifest, hooks: hooks.map(hook => hook.manifest) };
}
