import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { oneMap, ReleaseCalls } from '../../test/support/release-calls.ts';
import { decodeMessage } from '../codec/index.ts';

let calls: ReleaseCalls;
before(async () => {
  calls = await ReleaseCalls.start();
  await calls.call('InstallRelease', { name: 'web', namespace: 'team-a', chart: oneMap('first') });
});
after(() => calls[Symbol.asyncDispose]());
beforeEach(() => calls.asked.splice(0));

describe('a release of another namespace is not found, and nothing is changed', () => {
  const requests: [method: string, request: object][] = [
    ['UpdateRelease', { chart: oneMap('x') }],
    ['UpdateRelease', { chart: oneMap('x'), dry_run: true }],
    ['RollbackRelease', { version: 1 }],
    ['UninstallRelease', { purge: true }],
    ['RunReleaseTest', {}],
    ['GetReleaseContent', {}],
    ['GetReleaseStatus', {}],
    ['GetHistory', {}],
  ];
  for (const [method, request] of requests) {
    test(`${method} ${Object.keys(request)}`, async () => {
      await assert.rejects(calls.call(method, { name: 'web', namespace: 'team-b', ...request }), {
        code: 5,
        reason: 'RELEASE_NOT_FOUND',
        message: 'release: "web" not found in namespace team-b',
      });
      await assert.rejects(calls.call(method, { name: 'nobody', namespace: 'team-a', ...request }), {
        code: 5,
      });
      assert.ok(!calls.asked.some(asked => /^(?:Update|Rollback|Uninstall|RunRelease)/.test(asked)));
      assert.deepEqual(await calls.history('web'), ['1 DEPLOYED Install complete']);
    });
  }

  test('in its own namespace it is changed', async () => {
    const request = { name: 'web', namespace: 'team-a', chart: oneMap('second') };
    await calls.call('UpdateRelease', request);
    await calls.call('RollbackRelease', { name: 'web', namespace: 'team-a', version: 1 });
    assert.deepEqual((await calls.history('web')).length, 3);
    await calls.call('UninstallRelease', { name: 'web', namespace: 'team-a', purge: true });
    assert.deepEqual(await calls.history('web'), []);
  });
});

test('an upgrade is checked with the values of the deployed revision, behind any number of failed ones', async () => {
  const schema = Buffer.from('{"required": ["a"]}').toString('base64');
  const withSchema = { ...oneMap('x'), files: [{ type_url: 'values.schema.json', value: schema }] };
  const name = 'failing';
  await calls.call('InstallRelease', { name, chart: oneMap('x'), values: { raw: 'a: 1\n' } });
  const failed = {
    name,
    chart: oneMap('x', 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: not_a_name}\n'),
  };
  for (let count = 0; count < 11; count++)
    await assert.rejects(calls.call('UpdateRelease', { ...failed, values: { raw: 'b: 1\n' } }));
  await calls.call('UpdateRelease', { name, chart: withSchema, reuse_values: true });
  assert.equal((await calls.history(name)).length, 13);
});

describe('an upgrade that installs', () => {
  test('installs where there is no release, and upgrades where there is one', async () => {
    const request = { name: 'new', namespace: 'team-c', install: true, values: { raw: 'a: 1' } };
    const reply = await calls.call('UpdateRelease', { ...request, chart: oneMap('one'), description: 'why' });
    const { release } = decodeMessage('appscode.swift.v2.UpdateReleaseResponse', Buffer.from(reply));
    assert.deepEqual(
      [release?.name, release?.namespace, release?.version, release?.config?.raw, release?.info?.Description],
      ['new', 'team-c', 1, 'a: 1', 'why'],
    );
    await calls.call('UpdateRelease', { ...request, chart: oneMap('two') });
    assert.deepEqual(await calls.history('new'), ['2 DEPLOYED Upgrade complete', '1 SUPERSEDED why']);
  });

  test('without a namespace goes to `default`, and upgrades a release wherever it is', async () => {
    const reply = await calls.call('UpdateRelease', { name: 'plain', install: true, chart: oneMap('x') });
    assert.equal(
      decodeMessage('appscode.swift.v2.UpdateReleaseResponse', Buffer.from(reply)).release?.namespace,
      'default',
    );
    await calls.call('UpdateRelease', { name: 'new', install: true, chart: oneMap('three') });
    assert.equal((await calls.history('new')).length, 3);
  });

  test('changes nothing in a dry run', async () => {
    await calls.call('UpdateRelease', { name: 'dry', install: true, dry_run: true, chart: oneMap('x') });
    assert.deepEqual(calls.asked, ['GetHistory', 'InstallRelease']);
    assert.deepEqual(await calls.history('dry'), []);
  });

  test('is refused where another namespace has the name, which is unique in Helm 2', async () => {
    const request = { name: 'new', namespace: 'team-d', install: true, chart: oneMap('x') };
    await assert.rejects(calls.call('UpdateRelease', request), {
      code: 6,
      message: /^a release named new already exists/,
    });
  });

  test('of two at once one installs, and the other is refused or upgrades', async () => {
    const request = { name: 'race', install: true, chart: oneMap('x') };
    const outcomes = await Promise.allSettled([
      calls.call('UpdateRelease', request),
      calls.call('UpdateRelease', request),
    ]);
    const refused = outcomes.flatMap(({ status, ...rest }) =>
      status === 'rejected' ? [(rest as { reason: { code: number } }).reason.code] : [],
    );
    assert.ok(refused.length <= 1 && refused.every(code => code === 6 || code === 10), `${refused}`);
    assert.equal((await calls.history('race')).length, 2 - refused.length);
  });

  test('fails as any other where looking fails', async () => {
    await assert.rejects(calls.call('UpdateRelease', { name: '-', install: true, chart: oneMap('x') }), {
      code: 3,
      message: /^invalid release name/,
    });
  });
});

describe('a deletion with ignore_not_found', () => {
  const gone = { name: 'never', ignore_not_found: true };
  for (const request of [gone, { ...gone, purge: true }, { ...gone, namespace: 'team-a' }]) {
    test(`succeeds where there is no such release: ${Object.keys(request)}`, async () => {
      assert.deepEqual(await calls.call('UninstallRelease', request), Buffer.alloc(0));
    });
  }

  test('succeeds for a release of another namespace, which stays', async () => {
    await calls.call('UninstallRelease', { name: 'new', namespace: 'team-b', ignore_not_found: true });
    assert.equal((await calls.history('new')).length, 3);
  });

  test('fails for everything but that', async () => {
    await assert.rejects(calls.call('UninstallRelease', { name: '-', ignore_not_found: true }), { code: 3 });
    await assert.rejects(calls.call('UninstallRelease', { name: 'never' }), { code: 5 });
  });
});
