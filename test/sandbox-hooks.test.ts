/** Hooks and tests of releases in the sandbox Tiller: what runs when, what is recorded, and what a failure does. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SandboxClient } from './support/sandbox-client.ts';
import { chartOf, configMap } from './support/tiller-messages.ts';

const bounded = { timeout: 20_000 };

function hook(
  name: string,
  event: string,
  given: { policy?: string; weight?: number; script?: string } = {},
): string {
  const kind = given.script === undefined ? 'ConfigMap' : 'Pod';
  const annotations = [
    `"helm.sh/hook": ${event}`,
    ...(given.policy ? [`"helm.sh/hook-delete-policy": ${given.policy}`] : []),
    ...(given.weight === undefined ? [] : [`"helm.sh/hook-weight": "${given.weight}"`]),
  ];
  const head = `apiVersion: v1\nkind: ${kind}\nmetadata:\n  name: ${name}\n  annotations:\n    ${annotations.join('\n    ')}\n`;
  if (given.script === undefined) return head;
  return `${head}spec:\n  containers:\n    - name: c\n      command: [sh, -c, ${JSON.stringify(given.script)}]\n`;
}

const chart = (hooks: Record<string, string>) => chartOf('c', { 'cm.yaml': configMap('main'), ...hooks });
const installed = (name: string, hooks: Record<string, string>) => ({
  name,
  namespace: 'default',
  chart: chart(hooks),
  values: {},
});

test('each event runs its own hooks, and the time is noted', bounded, async () => {
  await using tiller = await SandboxClient.start();
  const hooks = { 'a.yaml': hook('before', 'pre-install'), 'b.yaml': hook('after', 'post-upgrade') };
  const { release } = await tiller.call('InstallRelease', installed('r', hooks));
  const ran = (list: typeof release) =>
    (list?.hooks ?? []).filter(each => each.last_run !== null).map(each => each.name);
  assert.deepEqual(ran(release), ['before']);
  const upgrade = { name: 'r', chart: chart(hooks), values: {} };
  assert.deepEqual(ran((await tiller.call('UpdateRelease', upgrade)).release), ['after']);
  const quiet = await tiller.call('RollbackRelease', { name: 'r', disable_hooks: true });
  assert.deepEqual(ran(quiet.release), ['before'], 'the record of the revision that came back');
});

test('a hook object stays unless its policy deletes it', bounded, async () => {
  for (const [policy, again] of [
    ['', /configmaps "h" already exists/],
    ['before-hook-creation', undefined],
    ['hook-succeeded', undefined],
    ['hook-failed', /already exists/],
  ] as const) {
    await using tiller = await SandboxClient.start();
    const hooks = { 'h.yaml': hook('h', 'pre-install,pre-upgrade', { policy }) };
    await tiller.call('InstallRelease', installed('r', hooks));
    const upgrade = { name: 'r', chart: chart(hooks), values: {} };
    if (again) assert.match(await tiller.failure('UpdateRelease', upgrade), again, policy);
    else assert.equal((await tiller.call('UpdateRelease', upgrade)).release?.version, 2, policy);
  }
});

test('a failing hook stops the operation where it stands', bounded, async () => {
  await using tiller = await SandboxClient.start();
  const failing = (event: string) => ({ 'h.yaml': hook(`${event}-h`, event, { script: 'exit 1' }) });
  assert.equal(
    await tiller.failure('InstallRelease', installed('a', failing('pre-install'))),
    '2 pod pre-install-h failed',
  );
  assert.match(await tiller.failure('GetHistory', { name: 'a', max: 1 }), /not found/, 'nothing was stored');
  assert.match(
    await tiller.failure('InstallRelease', installed('b', failing('post-install'))),
    /^2 pod .* failed$/,
  );
  const { releases } = await tiller.call('GetHistory', { name: 'b', max: 1 });
  assert.equal(releases[0]?.info?.Description, 'Release "b" failed post-install: pod post-install-h failed');
  assert.equal(releases[0]?.info?.status?.code, 'FAILED');
});

test(
  'a failing hook leaves an upgrade pending, which keeps out every other; a rollback ends that',
  bounded,
  async () => {
    await using tiller = await SandboxClient.start();
    await tiller.call('InstallRelease', installed('r', {}));
    const failing = chart({ 'h.yaml': hook('h', 'pre-upgrade', { script: 'exit 1' }) });
    assert.equal(
      await tiller.failure('UpdateRelease', { name: 'r', chart: failing, values: {} }),
      '2 pod h failed',
    );
    const next = { name: 'r', chart: chart({}), values: {} };
    const pending = '2 another operation (install/upgrade/rollback) is in progress';
    assert.equal(await tiller.failure('UpdateRelease', next), pending);
    assert.equal(await tiller.failure('UpdateRelease', { ...next, dry_run: true }), pending);
    assert.equal(
      await tiller.failure('UpdateRelease', { ...next, force: true }),
      '2 a release named r is in use, cannot re-use a name that is still in use',
    );
    await tiller.call('RollbackRelease', { name: 'r', version: 1 });
    await tiller.call('UpdateRelease', next);
    const { releases } = await tiller.call('GetHistory', { name: 'r', max: 9 });
    assert.deepEqual(
      releases.map(({ version, info }) => `${version} ${info?.status?.code} ${info?.Description}`),
      [
        '4 DEPLOYED Upgrade complete',
        '3 SUPERSEDED Rollback to 1',
        '2 SUPERSEDED Preparing upgrade',
        '1 SUPERSEDED Install complete',
      ],
    );
  },
);

test('hooks run by weight: the first that fails is the one named', bounded, async () => {
  await using tiller = await SandboxClient.start();
  const hooks = {
    'x.yaml': hook('heavy', 'pre-install', { script: 'exit 1', weight: 5 }),
    'y.yaml': hook('light', 'pre-install', { script: 'exit 1', weight: -5 }),
  };
  assert.equal(await tiller.failure('InstallRelease', installed('r', hooks)), '2 pod light failed');
});

test(
  'tests run in parallel, pods of an earlier run make it fail, cleanup removes them',
  bounded,
  async () => {
    await using tiller = await SandboxClient.start();
    const hooks = {
      'a.yaml': hook('a', 'test-success', { script: 'echo fine' }),
      'b.yaml': hook('b', 'test-failure', { script: 'exit 4' }),
    };
    await tiller.call('InstallRelease', installed('r', hooks));
    const lines = await tiller.testLines({ name: 'r', parallel: true, logs: true });
    assert.deepEqual(lines.toSorted(), [
      'RUNNING \nPOD LOGS: a\nfine\n',
      'RUNNING \nPOD LOGS: b\n',
      'RUNNING RUNNING: a',
      'RUNNING RUNNING: b',
      'SUCCESS PASSED: a',
      'SUCCESS PASSED: b',
    ]);
    assert.match(lines.slice(0, 2).join(), /RUNNING: .*RUNNING: /, 'both start before one ends');
    const blocked = await tiller.testLines({ name: 'r', cleanup: true });
    assert.deepEqual(blocked.filter(line => line.startsWith('FAILURE')).toSorted(), [
      'FAILURE ERROR: pods "a" already exists',
      'FAILURE ERROR: pods "b" already exists',
    ]);
    const { info } = await tiller.call('GetReleaseStatus', { name: 'r' });
    assert.equal(info?.status?.last_test_suite_run?.results[0]?.status, 'FAILURE');
    assert.match(info?.status?.last_test_suite_run?.results[0]?.info ?? '', /already exists/);
    assert.equal(
      (await tiller.testLines({ name: 'r' })).filter(line => line.startsWith('SUCCESS')).length,
      2,
    );
  },
);

test('an annotation decides a test over its command', bounded, async () => {
  await using tiller = await SandboxClient.start();
  const annotated = hook('a', 'test-success', { script: 'exit 0' }).replace(
    'annotations:\n',
    'annotations:\n    sandbox.tiller-gateway/exit-code: "2"\n    sandbox.tiller-gateway/log: "told so"\n',
  );
  await tiller.call('InstallRelease', installed('r', { 'a.yaml': annotated }));
  assert.deepEqual(await tiller.testLines({ name: 'r', logs: true }), [
    'RUNNING RUNNING: a',
    'FAILURE FAILED: a, run `kubectl logs a --namespace default` for more info',
    'RUNNING \nPOD LOGS: a\ntold so',
  ]);
});

test('a release without tests says so', bounded, async () => {
  await using tiller = await SandboxClient.start();
  await tiller.call('InstallRelease', installed('r', {}));
  assert.deepEqual(await tiller.testLines({ name: 'r' }), ['UNKNOWN No Tests Found']);
});
