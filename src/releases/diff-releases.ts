import { notInNamespace, type TillerBackend } from '../backends/index.ts';
import type { Charts } from '../charts/index.ts';
import { encodeMessage } from '../codec/index.ts';
import { type CallContext, invalidArgument } from '../protocol/index.ts';
import { readChartRequest } from './change-release.ts';
import { compare } from './diff/compare-revisions.ts';
import { releaseIn } from './read-release.ts';
import { readOne } from './read-source.ts';
import { decodeRequest, type ReleaseName, RequestFields, SwiftRequest } from './request-fields.ts';
import { TillerSession } from './tiller-session.ts';

/** What differs between two revisions, by default the latest and the one before. */
export async function diffRevisions(
  backend: TillerBackend,
  wire: Uint8Array,
  context: CallContext,
  showSecrets: boolean,
): Promise<Uint8Array> {
  const { from, to, ...release } = decodeRequest('appscode.swift.v2.DiffRevisionsRequest', wire);
  if (from < 0) throw invalidArgument(`from: ${from} is negative`);
  if (to < 0) throw invalidArgument(`to: ${to} is negative`);
  const after = await readRevision(backend, release, to, context);
  const version = from || Number(new RequestFields('hapi.release.Release', after).integer('version')) - 1;
  const before = version > 0 ? await readRevision(backend, release, version, context) : undefined;
  return compare({ before, after, showSecrets }, context);
}

/** What an upgrade, or a rollback to `version`, would change. */
export async function diffRelease(
  backend: TillerBackend,
  charts: Charts,
  wire: Uint8Array,
  context: CallContext,
  showSecrets: boolean,
): Promise<Uint8Array> {
  const request = new SwiftRequest('DiffRelease', wire);
  const { release } = request;
  const version = Number(request.integer('version'));
  if (version < 0) throw invalidArgument(`version: ${version} is negative`);
  if (version > 0) {
    if (request.has('chart') || request.bytes('chart_archive') || request.string('chart_url') !== '')
      throw invalidArgument('version is for a rollback, which takes no chart');
    const before = await readRevision(backend, release, 0, context);
    const after = await readRevision(backend, release, version, context);
    return compare({ before, after, showSecrets }, context);
  }
  const { chart, values } = await charts.resolve(readChartRequest(request), context.signal, context.hold);
  const session = new TillerSession(backend.tiller, context);
  const before = await revisionBefore(session, release, request.boolean('install'));
  const method = before ? 'UpdateRelease' : 'InstallRelease';
  const namespace = before ? undefined : { namespace: release.namespace || 'default' };
  const dry = request.toTiller(method, { chart, values, ...namespace, dry_run: 1 });
  const after = releaseIn(await session.ask(method, dry));
  return compare({ before, after, showSecrets }, context);
}

/** Counts the revision, which waits for another one. @param version 0 for the latest */
async function readRevision(
  backend: TillerBackend,
  { name, namespace }: ReleaseName,
  version: number,
  context: CallContext,
): Promise<Uint8Array> {
  const request = encodeMessage('hapi.services.tiller.GetReleaseContentRequest', { name, version });
  const release = releaseIn(
    await readOne(backend, 'GetReleaseContent', request, context, { name, namespace }),
  );
  context.hold?.answer(release.length);
  return release;
}

/**
 * What Tiller's upgrade starts from, by Tiller itself: its dry run is of Helm 2's release. Undefined for a release that
 * `install` would install.
 */
async function revisionBefore(
  session: TillerSession,
  { name, namespace }: ReleaseName,
  canInstall: boolean,
): Promise<Uint8Array | undefined> {
  const [latest] = await (canInstall ? session.latestRevisions(name) : session.existingRevisions(name));
  if (!latest || (namespace !== '' && latest.namespace !== namespace)) {
    if (canInstall) return undefined;
    throw notInNamespace(name, namespace);
  }
  const { version, manifest, hooks, ...release } = (await session.deployedRevision(name, [latest])) ?? latest;
  return encodeMessage('hapi.release.Release', {
    name,
    namespace: release.namespace,
    version,
    manifest,
    hooks,
  });
}
