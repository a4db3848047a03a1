import type { Hook, HookDeletePolicy, HookEvent } from '../chart/chart.ts';
import { bytesToUtf8 } from '../go/bytes.ts';
import type { ManifestHead } from './head.ts';

/** https://v2.helm.sh/docs/developing_charts/#the-available-hooks */
const hookEvents = new Map<string, HookEvent>([
  ['pre-install', 'PRE_INSTALL'],
  ['post-install', 'POST_INSTALL'],
  ['pre-delete', 'PRE_DELETE'],
  ['post-delete', 'POST_DELETE'],
  ['pre-upgrade', 'PRE_UPGRADE'],
  ['post-upgrade', 'POST_UPGRADE'],
  ['pre-rollback', 'PRE_ROLLBACK'],
  ['post-rollback', 'POST_ROLLBACK'],
  ['test-success', 'RELEASE_TEST_SUCCESS'],
  ['test-failure', 'RELEASE_TEST_FAILURE'],
  ['crd-install', 'CRD_INSTALL'],
]);

const deletePolicies = new Map<string, HookDeletePolicy>([
  ['hook-succeeded', 'SUCCEEDED'],
  ['hook-failed', 'FAILED'],
  ['before-hook-creation', 'BEFORE_HOOK_CREATION'],
]);

/** How long Tiller waits for a hook's deletion where the chart does not say. */
const defaultDeleteTimeoutSeconds = 60;

function listOf(annotation: string | undefined): string[] {
  return annotation === undefined ? [] : annotation.split(',').map(item => item.trim().toLowerCase());
}

/** strconv.Atoi, cut to 32 bits; 0 where it is no number. */
function parseWeight(text: string | undefined): number {
  if (text === undefined || !/^[-+]?\d{1,30}$/.test(text)) return 0;
  const value = BigInt(text.replace('+', ''));
  return BigInt.asIntN(64, value) === value ? Number(BigInt.asIntN(32, value)) : 0;
}

function deleteTimeout(head: ManifestHead, policies: readonly HookDeletePolicy[]): number {
  if (policies.length === 0) return 0;
  const last = listOf(head.annotations.get('helm.sh/hook-delete-timeout')).at(-1);
  if (last === undefined) return defaultDeleteTimeoutSeconds;
  return /^[-+]?\d{1,15}$/.test(last) ? Number(last) : 0;
}

/** What a hook annotation makes of a manifest: a hook, nothing (an unknown event), or a plain resource. */
export type HookReading = Hook | 'unknown' | undefined;

/** Reads a manifest's hook annotations; undefined for a manifest that is no hook. */
export function readHook(path: string, document: string, head: ManifestHead): HookReading {
  const annotation = head.annotations.get('helm.sh/hook');
  if (annotation === undefined) return undefined;
  const events = listOf(annotation).map(event => hookEvents.get(event));
  if (!events.every(event => event !== undefined)) return 'unknown';
  const delete_policies = listOf(head.annotations.get('helm.sh/hook-delete-policy'))
    .map(policy => deletePolicies.get(policy))
    .filter(policy => policy !== undefined);
  return {
    name: head.name,
    kind: head.kind,
    path: bytesToUtf8(path),
    manifest: bytesToUtf8(document),
    events,
    last_run: null,
    weight: parseWeight(head.annotations.get('helm.sh/hook-weight')),
    delete_policies,
    delete_timeout: deleteTimeout(head, delete_policies),
  };
}
