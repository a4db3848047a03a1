import type { Hook, HookDeletePolicy, HookEvent, Release } from '../../codec/index.ts';
import { validateNamespace } from '../state/cluster.ts';
import { type ManifestObject, readManifestObjects } from '../state/manifest-objects.ts';
import { toTimestamp } from '../state/revision.ts';
import { tillerError } from '../state/tiller-error.ts';
import type { TillerState } from '../state/tiller-state.ts';
import { podOutcome } from './pod-outcome.ts';

/**
 * Runs a release's hooks for an event, by weight and then name, and notes in each when it ran last. Pods and Jobs end as
 * `podOutcome` says; everything else succeeds at once. The release's hooks are changed in place, as Tiller does.
 * @throws GatewayError UNKNOWN with Kubernetes' words when a hook cannot be created or fails; those before it have run
 */
export function runHooks(state: TillerState, release: Release, event: HookEvent): void {
  const hooks = release.hooks
    .filter(hook => hook.events.includes(event))
    .sort((a, b) => a.weight - b.weight || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  for (const hook of hooks) runHook(state, hook, release.namespace);
  for (const hook of hooks) {
    deleteByPolicy(state, hook, 'SUCCEEDED', release.namespace);
    hook.last_run = toTimestamp(state.now());
  }
}

function runHook(state: TillerState, hook: Hook, namespace: string): void {
  deleteByPolicy(state, hook, 'BEFORE_HOOK_CREATION', namespace);
  validateNamespace(namespace);
  const objects = readManifestObjects(hook.manifest, namespace);
  state.cluster.create(objects, state.now());
  const failure = objects.map(hookFailure).find(text => text !== undefined);
  if (failure === undefined) return;
  deleteByPolicy(state, hook, 'FAILED', namespace);
  throw tillerError(failure);
}

function hookFailure(object: ManifestObject): string | undefined {
  if ((object.kind !== 'Pod' && object.kind !== 'Job') || podOutcome(object).succeeded) return undefined;
  return object.kind === 'Job' ? 'Job failed: BackoffLimitExceeded' : `pod ${object.name} failed`;
}

function deleteByPolicy(state: TillerState, hook: Hook, policy: HookDeletePolicy, namespace: string): void {
  if (!hook.delete_policies.includes(policy)) return;
  state.cluster.delete(readManifestObjects(hook.manifest, namespace));
}
