import { validateReleaseName } from '../../backends/index.ts';
import {
  encodeMessage,
  type GetHistoryRequest,
  type GetReleaseContentRequest,
  type GetReleaseStatusRequest,
  type GetReleaseStatusResponse,
  type Release,
  WireWriter,
} from '../../codec/index.ts';
import { statusOf } from '../state/revision.ts';
import type { TillerState } from '../state/tiller-state.ts';
import { tillerError, withPrefix } from '../work/tiller-error.ts';

/** In `GetHistoryResponse` and `GetReleaseContentResponse` the releases are field 1. */
const releaseField = 1;

/**
 * A revision whole, the newest unless a version is named, as `GetReleaseContentResponse` in wire format.
 * @throws GatewayError UNKNOWN with Tiller's text
 */
export function getReleaseContent(state: TillerState, { name, version }: GetReleaseContentRequest): Buffer {
  validateReleaseName(name);
  const wire = version <= 0 ? state.store.history(name)[0]!.wire : state.store.revision(name, version).wire;
  return new WireWriter(wire.length + 16).bytesField(releaseField, wire).finish();
}

/**
 * The newest revisions, newest first, at most `max` (so none for 0), as `GetHistoryResponse` in wire format.
 * @throws GatewayError UNKNOWN with Tiller's text
 */
export function getHistory(state: TillerState, { name, max }: GetHistoryRequest): Buffer {
  validateReleaseName(name);
  const writer = new WireWriter();
  for (const { wire } of state.store.history(name).slice(0, Math.max(0, max))) {
    writer.bytesField(releaseField, wire);
  }
  return writer.finish();
}

/**
 * A revision's state, with a table of what became of its objects, as `GetReleaseStatusResponse` in wire format.
 * @throws GatewayError UNKNOWN with Tiller's text
 */
export async function getReleaseStatus(
  state: TillerState,
  { name, version }: GetReleaseStatusRequest,
): Promise<Buffer> {
  validateReleaseName(name);
  const release =
    version <= 0
      ? withPrefix(`getting deployed release "${name}": `, () => state.store.last(name))
      : withPrefix(`getting release '${name}' (v${version}): `, () => state.store.get(name, version));
  const status = release.info?.status;
  if (!status) throw tillerError('release info is missing');
  const code = statusOf(release);
  if (code !== 'DELETED' && code !== 'FAILED') status.resources = await describeResources(state, release);
  const response: GetReleaseStatusResponse = {
    name: release.name,
    info: release.info,
    namespace: release.namespace,
  };
  return encodeMessage('hapi.services.tiller.GetReleaseStatusResponse', response);
}

/** The objects are taken to be as old as the first of them: an upgrade leaves them in place. */
async function describeResources(state: TillerState, release: Release): Promise<string> {
  const [first] = await state.work.readObjects(release.manifest, release.namespace);
  if (!first) throw tillerError('no objects visited');
  const now = state.now();
  const ageMs = now.getTime() - (state.cluster.createdAt(first) ?? now).getTime();
  return state.work.resourceTable(release.manifest, ageMs);
}
