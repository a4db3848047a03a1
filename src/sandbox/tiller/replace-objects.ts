import type { Release } from '../../codec/messages.gen.ts';
import { readManifestObjects } from './manifest-objects.ts';
import type { TillerState } from './state.ts';

/**
 * Brings the cluster from one revision's objects to another's.
 * @throws GatewayError UNKNOWN with Tiller's text
 */
export function replaceObjects(state: TillerState, before: Release, after: Release): void {
  state.cluster.update(
    readManifestObjects(before.manifest, before.namespace),
    readManifestObjects(after.manifest, after.namespace),
    state.now(),
  );
}
