import type { Hook, HookDeletePolicy, HookEvent, Release } from '../../codec/index.ts';
import { toTimestamp } from '../state/revision.ts';
import type { TillerState } from '../state/tiller-state.ts';
import type { ManifestObject } from '../work/manifest-objects.ts';
import { tillerError } from '../work/tiller-error.ts';

/**
 * Runs a release's hooks for an event, by weight and then name, and notes in each when it ran last. Pods and Jobs end as
 * their `outcome` says; everything else succeeds at once. The release's hooks are changed in place, as Tiller does.
 * @throws GatewayError UNKNOWN with Kubernetes' words when a hook cannot be created or fails; those before it have run
 */
export async function runHooks(state: TillerState, release: Release, event: HookEvent): Promise<void> {
  const hooks = release.hooks
    .filter(hook => hook.events.includes(event))
    .sort((a, b) => a.weight - b.weight || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  for (const hook of hooks) await runHook(state, hook, release.namespace);
  for (const hook of hooks) {
    await deleteByPolicy(state, hook, 'SUCCEEDED', release.namespace);
    hook.last_run = toTimestamp(state.now());
  }
}

async function runHook(state: TillerState, hook: Hook, namespace: string): Promise<void> {
  await deleteByPolicy(state, hook, 'BEFORE_HOOK_CREATION', namespace);
  state.cluster.ensureNamespace(namespace, state.now());
  const objects = await state.work.readObjects(hook.manifest, namespace);
  state.cluster.create(objects, state.now());
  const failure = objects.map(hookFailure).find(text => text !== undefined);
  if (failure === undefined) return;
  await deleteByPolicy(state, hook, 'FAILED', namespace);
  throw tillerError(failure);
}

function hookFailure({ kind, name, outcome }: ManifestObject): string | undefined {
  if (!outcome || outcome.succeeded) return undefined;
  return kind === 'Job' ? 'Job failed: BackoffLimitExceeded' : `pod ${name} failed`;
}

async function deleteByPolicy(
  state: TillerState,
  hook: Hook,
  policy: HookDeletePolicy,
  namespace: string,
): Promise<void> {
  if (!hook.delete_policies.includes(policy)) return;
  state.cluster.delete(await state.work.readObjects(hook.manifest, namespace));
}
