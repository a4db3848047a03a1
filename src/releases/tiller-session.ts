import { notInNamespace, type TillerCalls, translateTillerError } from '../backends/index.ts';
import { decodeMessage, encodeMessage, type Release } from '../codec/index.ts';
import { type CallContext, GatewayError } from '../protocol/index.ts';
import type { ReleaseName } from './request-fields.ts';
import { askTiller } from './tiller-request.ts';

/**
 * The latest revisions of a release, newest first. Tiller is asked, not the records: a write depends on the answer, and it
 * has to be of Helm 2's release, whose name is unique in the cluster.
 * @returns an empty list where there is no such release
 */
export async function latestRevisions(
  tiller: TillerCalls,
  name: string,
  max: number,
  context: CallContext,
): Promise<Release[]> {
  try {
    return await existingRevisions(tiller, name, max, context);
  } catch (error) {
    if (isReleaseNotFound(error)) return [];
    throw error;
  }
}

/** As `latestRevisions`. @throws GatewayError what Tiller says where there is no such release */
export async function existingRevisions(
  tiller: TillerCalls,
  name: string,
  max: number,
  context: CallContext,
): Promise<Release[]> {
  const request = encodeMessage('hapi.services.tiller.GetHistoryRequest', { name, max });
  const reply = await askTiller(tiller, 'GetHistory', request, context);
  return decodeMessage('hapi.services.tiller.GetHistoryResponse', reply).releases;
}

/** The most revisions that are looked through for the one that is deployed. */
const maxRevisions = 256;

/**
 * The revision that is deployed, which failed ones may hide.
 * @param seen the latest revision, where it was looked at already
 */
export async function deployedRevision(
  tiller: TillerCalls,
  name: string,
  context: CallContext,
  seen?: readonly Release[],
): Promise<Release | undefined> {
  let revisions = seen ?? (await latestRevisions(tiller, name, 1, context));
  // revisions come whole, so that no more are asked for than need be
  for (const max of [10, maxRevisions]) {
    if (revisions.length === 0 || revisions.some(isDeployed)) break;
    revisions = await latestRevisions(tiller, name, max, context);
  }
  return revisions.find(isDeployed);
}

function isDeployed({ info }: Release): boolean {
  return info?.status?.code === 'DEPLOYED';
}

/**
 * Checks before a write that the release is in the namespace that the request names. What another client does between the
 * check and the write is not seen: Tiller's own requests name no namespace.
 * @returns the latest revision; undefined where nothing had to be looked at
 * @throws GatewayError NOT_FOUND for a release of another namespace
 */
export async function requireNamespace(
  tiller: TillerCalls,
  { name, namespace }: ReleaseName,
  context: CallContext,
): Promise<readonly Release[] | undefined> {
  if (namespace === '') return undefined;
  const seen = await latestRevisions(tiller, name, 1, context);
  if (seen[0]?.namespace !== namespace) throw notInNamespace(name, namespace);
  return seen;
}

/** Whether Tiller said that there is no such release, with `--tiller-errors raw` as well. */
export function isReleaseNotFound(error: unknown): boolean {
  if (!(error instanceof GatewayError) || error.step !== undefined) return false;
  const { code, message, reason } = error;
  return reason === 'RELEASE_NOT_FOUND' || translateTillerError(code, message).reason === 'RELEASE_NOT_FOUND';
}
