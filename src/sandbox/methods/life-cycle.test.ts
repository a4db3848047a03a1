/** Whatever is asked in whatever order: what must always hold of releases and of the folder they are kept in. */

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { chartOf, configMap, message } from '../../../test/support/tiller-messages.ts';
import { Code, GatewayError } from '../../protocol/index.ts';
import { SimulatedCluster } from '../state/cluster.ts';
import { RevisionFolder } from '../state/revision-folder.ts';
import { RevisionStore } from '../state/revision-store.ts';
import type { TillerState } from '../state/tiller-state.ts';
import { workHere } from '../work/tasks.ts';
import { installRelease } from './install-release.ts';
import { rollbackRelease } from './rollback-release.ts';
import { uninstallRelease } from './uninstall-release.ts';
import { updateRelease } from './update-release.ts';

type Step = (state: TillerState) => Promise<unknown>;

const bounds = { maxRevisions: 1_000, maxBytes: 10_000_000 };
const chart = chartOf('c', { 'cm.yaml': configMap('{{ .Release.Name }}-cm') }, 'a: 1\n');
const prefix = 'hapi.services.tiller.';

/** Every step with every combination of its switches, on one of two releases. */
const step: fc.Arbitrary<[text: string, Step]> = fc
  .record({
    what: fc.constantFrom('install', 'update', 'rollback', 'uninstall'),
    name: fc.constantFrom('one', 'two'),
    flag: fc.boolean(),
    dryRun: fc.boolean(),
    version: fc.integer({ min: 0, max: 4 }),
  })
  .map(({ what, name, flag, dryRun, version }) => {
    const common = { name, dry_run: dryRun };
    const text = `${what} ${name} ${flag} ${dryRun} ${version}`;
    switch (what) {
      case 'install': {
        const request = { ...common, chart, values: {}, namespace: 'default', reuse_name: flag };
        return [text, state => installRelease(state, message(`${prefix}InstallReleaseRequest`, request))];
      }
      case 'update': {
        const request = { ...common, chart, values: { raw: `b: ${version}\n` }, reuse_values: flag };
        return [text, state => updateRelease(state, message(`${prefix}UpdateReleaseRequest`, request))];
      }
      case 'rollback': {
        const request = { ...common, version };
        return [text, state => rollbackRelease(state, message(`${prefix}RollbackReleaseRequest`, request))];
      }
      default: {
        const request = { name, purge: flag };
        return [text, state => uninstallRelease(state, message(`${prefix}UninstallReleaseRequest`, request))];
      }
    }
  });

async function openStore(path: string): Promise<RevisionStore> {
  const folder = await RevisionFolder.open(path);
  return RevisionStore.open({
    bounds,
    now: () => new Date(),
    folder,
    report: problem => assert.fail(problem),
  });
}

/** Applies a step; a refusal must be one of Tiller's, and leave no trace. */
async function apply(state: TillerState, run: Step): Promise<void> {
  const before = snapshot(state.store);
  try {
    await run(state);
  } catch (error) {
    assert.ok(error instanceof GatewayError && error.code === Code.UNKNOWN, String(error));
    assert.deepEqual(snapshot(state.store), before);
  }
}

function snapshot(store: RevisionStore): string[] {
  return store.all().map(({ key, status, wire }) => `${key} ${status} ${wire.toString('base64')}`);
}

function checkHistory(store: RevisionStore, name: string): void {
  const history = store.history(name);
  assert.deepEqual(
    history.map(({ version }) => version),
    history.map((_, index) => history.length - index),
    'versions without a gap',
  );
  const deployed = history.filter(({ status }) => status === 'DEPLOYED');
  assert.ok(deployed.length <= 1, 'at most one revision is deployed');
  assert.ok(deployed.length === 0 || deployed[0] === history[0], 'and it is the newest');
}

test('histories stay whole, refusals leave no trace, the folder holds what memory holds', {
  timeout: 60_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25 }), async steps => {
      const path = await mkdtemp(join(tmpdir(), 'tg-test-'));
      try {
        const store = await openStore(path);
        const state: TillerState = {
          store,
          cluster: new SimulatedCluster(),
          work: workHere,
          now: () => new Date(),
        };
        for (const [, run] of steps) {
          await apply(state, run);
          for (const name of store.names()) checkHistory(store, name);
        }
        assert.deepEqual(snapshot(await openStore(path)), snapshot(store));
      } finally {
        await rm(path, { recursive: true, force: true });
      }
    }),
    { numRuns: 60 },
  );
});
