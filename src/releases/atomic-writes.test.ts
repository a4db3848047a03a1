import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { eventually } from '../../test/support/eventually.ts';
import { oneMap, ReleaseCalls } from '../../test/support/release-calls.ts';
import { createTestCharts } from '../../test/support/test-charts.ts';
import type { TillerCalls } from '../backends/index.ts';
import { CallFailure } from '../backends/tiller/call.ts';
import { encodeMessage, type MessageTypes, type Partially } from '../codec/index.ts';
import { Code, GatewayError, writeLost } from '../protocol/index.ts';
import { AtomicWrites } from './atomic-writes.ts';
import { createReleaseService } from './release-service.ts';
import { UnfinishedWrites } from './unfinished-writes.ts';

const logged: string[] = [];
const unfinished = new UnfinishedWrites({
  maxRunning: 2,
  log: (message, { what, error }) => logged.push(`${message}: ${what}: ${(error as Error).message}`),
});
/** Each look at a release takes a second. */
let clock = 0;
const times = { pollMs: 1, unseenMs: 10_000, lookMs: 30_000, now: () => clock };
let calls: ReleaseCalls;
let count = 0;
/** Of a release that no other test has. */
let name: string;

const map = (name: string, annotations = '{}') =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}, annotations: ${annotations}}\n`;
/** Kubernetes refuses its second object, and Tiller records a failed revision. */
const failing = (text = 'x') => oneMap(text, map('not_a_name'));
const refusal =
  /(?:failed to create resource: )?ConfigMap "not_a_name" is invalid: metadata\.name: Invalid value: .*/;
/** Kubernetes refuses its hook: Tiller leaves the revision pending. */
const hookFailing = () => oneMap('x', map('not_a_name', '{helm.sh/hook: pre-upgrade}'));
const unrenderable = () => oneMap('{{ fail "no" }}');

before(async () => {
  const atomic = new AtomicWrites(unfinished, times);
  calls = await ReleaseCalls.start(createReleaseService(createTestCharts(), undefined, atomic));
});
after(async () => {
  await unfinished.drain(0);
  await calls[Symbol.asyncDispose]();
});
beforeEach(() => {
  name = `web-${++count}`;
  calls.asked.splice(0);
  calls.intercept = takeTime;
  answers.clear();
  calls.backend = { kind: 'tiller', tiller: calls.tiller };
});

const install = (chart: object, more: object = {}) =>
  calls.call('InstallRelease', { name, chart, atomic: true, ...more });
const update = (chart: object, more: object = {}) =>
  calls.call('UpdateRelease', { name, chart, atomic: true, ...more });
const takeTime = (method: string) => {
  if (method === 'GetHistory') clock += 1_000;
};
const plainInstall = (chart: object, more: object = {}) => install(chart, { atomic: false, ...more });
/** The message for `failing`. */
const told = (before: string, after = '') => new RegExp(`^${before}${refusal.source}${after}$`);
const asked = (method: string) => calls.asked.filter(one => one === method).length;

/** Answers of a test's own, by method. */
const answers = new Map<string, () => Partially<MessageTypes['hapi.services.tiller.GetHistoryResponse']>>();

/** The connection is lost behind the call. @param work what Tiller does all the same, and when */
function loseAnswers(method: string, work: (call: () => Promise<unknown>) => Promise<unknown>): void {
  const { tiller } = calls;
  const unary: TillerCalls['unary'] = async (...call) => {
    const answer = answers.get(call[0]);
    if (answer) return encodeMessage('hapi.services.tiller.GetHistoryResponse', answer());
    if (call[0] !== method) return tiller.unary(...call);
    await work(() => tiller.unary(...call).catch(() => {}));
    throw writeLost('lost', {
      cause: new CallFailure({ code: Code.UNAVAILABLE, details: 'Connection dropped' }, false),
    });
  };
  const losing: TillerCalls = {
    unary,
    stream: (...call) => tiller.stream(...call),
    pass: (...call) => tiller.pass(...call),
    writes: 0,
  };
  calls.backend = { kind: 'tiller', tiller: losing };
}

describe('an atomic installation', () => {
  test('waits, and is as any other where nothing fails', async () => {
    await install(oneMap('x'));
    assert.deepEqual(calls.asked, ['GetHistory', 'InstallRelease']);
    assert.deepEqual(await calls.history(name), ['1 DEPLOYED Install complete']);
  });

  test('that fails is purged', async () => {
    await assert.rejects(install(failing()), {
      code: 3,
      message: told(
        `release ${name} failed, and has been uninstalled due to atomic being set: release ${name} failed: `,
      ),
    });
    assert.deepEqual(await calls.history(name), []);
  });

  test('by an upgrade that installs is purged too', async () => {
    await assert.rejects(update(failing(), { install: true }), { message: /has been uninstalled/ });
    assert.deepEqual(await calls.history(name), []);
  });

  test('that fails before anything is recorded purges nothing', async () => {
    await assert.rejects(install(unrenderable()), { code: 3, message: /^render error/ });
    assert.equal(asked('UninstallRelease'), 0);
  });

  for (const chart of [failing(), oneMap('x')]) {
    test('leaves a release of that name alone, whatever became of it', async () => {
      await plainInstall(chart).catch(() => {});
      const there = await calls.history(name);
      await assert.rejects(install(chart), { code: 6, message: /^a release named/ });
      assert.equal(asked('UninstallRelease'), 0);
      assert.deepEqual(await calls.history(name), there);
    });
  }

  test('leaves a release alone that another installed meanwhile', async () => {
    let isFirst = true;
    calls.intercept = async method => {
      if (method !== 'InstallRelease' || !isFirst) return;
      isFirst = false;
      await plainInstall(failing()).catch(() => {});
    };
    await assert.rejects(install(failing()), { code: 6, message: /^a release named/ });
    assert.match(String(await calls.history(name)), /^1 FAILED/);
    assert.equal(asked('UninstallRelease'), 0);
  });

  test('tells both errors where purging fails as well, and does not try again', async () => {
    calls.intercept = method => {
      if (method === 'UninstallRelease') throw new GatewayError(Code.UNKNOWN, 'etcdserver: no leader');
    };
    await assert.rejects(install(failing()), {
      code: 3,
      reason: 'UNDO_FAILED',
      message: told(
        `an error occurred while uninstalling the release. original install error: release ${name} failed: `,
        ': etcdserver: no leader',
      ),
    });
    assert.equal(asked('UninstallRelease'), 1);
  });

  test('tells so where looking fails', async () => {
    let looks = 0;
    calls.intercept = method => {
      if (method === 'GetHistory' && ++looks > 1) throw new GatewayError(Code.UNKNOWN, 'broken');
    };
    await assert.rejects(install(failing()), {
      reason: 'UNDO_FAILED',
      message: /^an error occurred while looking at the release\. original install error: .*: broken$/,
    });
  });

  test('needs a name, and undoes nothing in a dry run', async () => {
    await assert.rejects(install(oneMap('x'), { name: '' }), { code: 3, message: /needs a name/ });
    await install(oneMap('x'), { dry_run: true });
    assert.deepEqual(calls.asked, ['InstallRelease']);
  });
});

describe('an atomic upgrade', () => {
  test('that fails is rolled back to the revision that was deployed', async () => {
    await plainInstall(oneMap('first'));
    await assert.rejects(update(failing()), {
      code: 3,
      message: told(`release ${name} failed, and has been rolled back due to atomic being set: `),
    });
    const [last, failed, first] = await calls.history(name);
    assert.deepEqual([last, first], ['3 DEPLOYED Rollback to 1', '1 SUPERSEDED Install complete']);
    assert.match(failed!, new RegExp(`^2 SUPERSEDED Upgrade "${name}" failed: `));
  });

  test('goes back behind failed revisions', async () => {
    await plainInstall(oneMap('first'));
    await calls.call('UpdateRelease', { name, chart: failing() }).catch(() => {});
    await assert.rejects(update(failing('y'), { reuse_values: true, values: {} }), {
      message: /rolled back/,
    });
    assert.match((await calls.history(name))[0]!, /^4 DEPLOYED Rollback to 1/);
  });

  test('whose hook fails, so that its revision stays pending, is rolled back', async () => {
    await plainInstall(oneMap('first'));
    await assert.rejects(update(hookFailing()), { message: /rolled back/ });
    assert.deepEqual((await calls.history(name))[0], '3 DEPLOYED Rollback to 1');
  });

  test('that fails before its revision is recorded rolls nothing back', async () => {
    await plainInstall(oneMap('first'));
    await assert.rejects(update(unrenderable()), { code: 3, message: /^render error/ });
    await assert.rejects(update(oneMap('x'), { name: 'nobody' }), { code: 5 });
    assert.equal(asked('RollbackRelease'), 0);
  });

  for (const [more, undone] of [
    [{ namespace: 'default' }, 'rolled back'],
    [{ install: true }, 'rolled back'],
    [{ install: true, name: 'not-there' }, 'uninstalled'],
  ] as const) {
    test(`looks at the release once before: ${Object.keys(more)}`, async () => {
      await plainInstall(oneMap('first'));
      calls.asked.splice(0);
      await assert.rejects(update(failing(), more), { message: new RegExp(`has been ${undone}`) });
      const first = calls.asked.findIndex(method => method !== 'GetHistory');
      assert.equal(first, 1, `${calls.asked}`);
    });
  }

  test('leaves another upgrade alone', async () => {
    await plainInstall(oneMap('first'));
    const gate = Promise.withResolvers<void>();
    let isFirst = true;
    calls.intercept = async method => {
      if (method !== 'UpdateRelease' || !isFirst) return;
      isFirst = false;
      // the other's fails, and only then ours arrives, which is unable to be rendered
      await calls.call('UpdateRelease', { name, chart: failing() }).catch(() => {});
      gate.resolve();
    };
    await assert.rejects(update(unrenderable()), {
      message: /revision 2, which came meanwhile, was left as it is$/,
    });
    await gate.promise;
    assert.equal(asked('RollbackRelease'), 0);
    assert.match((await calls.history(name))[0]!, /^2 FAILED/);
  });

  test('tells both errors where rolling back fails as well', async () => {
    await plainInstall(oneMap('first'));
    calls.intercept = method => {
      if (method === 'RollbackRelease') throw new GatewayError(Code.UNKNOWN, 'etcdserver: no leader');
    };
    await assert.rejects(update(failing()), {
      code: 3,
      reason: 'UNDO_FAILED',
      message: told(
        'an error occurred while rolling back the release. original upgrade error: ',
        ': etcdserver: no leader',
      ),
    });
    assert.equal(asked('RollbackRelease'), 1);
  });
});

describe('an atomic change whose outcome nobody knows', () => {
  test('is undone once the release shows that it failed', async () => {
    loseAnswers('InstallRelease', call => call());
    await assert.rejects(install(failing()), {
      code: 14,
      message: new RegExp(
        `^release ${name} failed, and has been uninstalled due to atomic being set: lost: `,
      ),
    });
    assert.deepEqual(await calls.history(name), []);
    assert.equal(asked('InstallRelease'), 1);
  });

  test('is awaited while nothing shows it', async () => {
    await plainInstall(oneMap('first'));
    const { promise, resolve } = Promise.withResolvers<void>();
    let looks = 0;
    calls.intercept = method => {
      takeTime(method);
      return method === 'GetHistory' && ++looks > 3 ? promise : undefined;
    };
    loseAnswers('UpdateRelease', async call => {
      void eventually(() => looks >= 3)
        .then(call)
        .then(() => resolve());
    });
    await assert.rejects(update(failing()), { message: /rolled back/ });
    assert.match((await calls.history(name))[0]!, /^3 DEPLOYED/);
  });

  test('is awaited while it is pending, and left where it stays so', async () => {
    const chart = oneMap('x');
    for (const [code, message] of [
      ['FAILED', /has been uninstalled/],
      ['PENDING_INSTALL', /^lost: .*; revision 1 is PENDING_INSTALL, and was not uninstalled$/],
    ] as const) {
      loseAnswers('InstallRelease', async () => {});
      let looks = 0;
      answers.set('GetHistory', () => {
        clock += 1_000;
        if (++looks === 1) return {};
        const status = { code: looks < 40 ? ('PENDING_INSTALL' as const) : code };
        return { releases: [{ name, version: 1, chart, info: { status } }] };
      });
      answers.set('UninstallRelease', () => ({}));
      await assert.rejects(install(chart, { timeout: 60 }), { code: 14, message });
      assert.ok(looks >= 40 && looks < 120, `${looks}`);
    }
    assert.deepEqual(calls.asked, []);
  });

  test('is told as such where Tiller stays unreachable', async () => {
    loseAnswers('InstallRelease', async () => {});
    let looks = 0;
    answers.set('GetHistory', () => {
      clock += 1_000;
      if (++looks === 1) return {};
      throw new GatewayError(Code.UNAVAILABLE, 'no Tiller');
    });
    await assert.rejects(install(oneMap('x')), { code: 14, message: /looking at the release.*no Tiller$/ });
    assert.ok(looks > 25, `${looks}`);
  });

  test('is left where it succeeded', async () => {
    loseAnswers('InstallRelease', call => call());
    await assert.rejects(install(oneMap('x')), {
      message: /revision 1 is deployed all the same, and was left so$/,
    });
    assert.equal(asked('UninstallRelease'), 0);
  });

  test('is not undone where nothing shows it, or the revision is of another', async () => {
    loseAnswers('InstallRelease', async () => {});
    await assert.rejects(install(oneMap('x')), { code: 14, reason: 'UPSTREAM_LOST', message: /^lost: / });
    loseAnswers('InstallRelease', () => plainOf(failing('of another')));
    await assert.rejects(install(failing()), {
      message: /revision 1, which came meanwhile, was left as it is$/,
    });
    assert.equal(asked('UninstallRelease'), 0);
  });

  /** Of another client, who keeps the connection. */
  async function plainOf(chart: object): Promise<void> {
    const { backend } = calls;
    calls.backend = { kind: 'tiller', tiller: calls.tiller };
    await plainInstall(chart).catch(() => {});
    calls.backend = backend;
  }
});

describe('an atomic change without its client', () => {
  test('goes on, is undone, and the gateway waits for it', async () => {
    const arrived = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<void>();
    calls.intercept = method => {
      if (method === 'InstallRelease') arrived.resolve();
      return method === 'InstallRelease' ? gate.promise : undefined;
    };
    const client = new AbortController();
    const left = new GatewayError(Code.CANCELLED, 'the client has gone');
    const answer = calls.call(
      'InstallRelease',
      { name, chart: failing(), atomic: true },
      { signal: client.signal },
    );
    await arrived.promise;
    client.abort(left);
    await assert.rejects(answer, left);
    gate.resolve();
    await eventually(() => asked('UninstallRelease') === 1);
    await eventually(async () => (await calls.history(name)).length === 0);
    await eventually(() => logged.length > 0);
    assert.match(logged[0]!, /^a change failed after its client had left: InstallRelease of release web-/);
  });

  test('is not begun for a client that has left, nor beyond the bound', async () => {
    const signal = AbortSignal.abort(new GatewayError(Code.CANCELLED, 'gone'));
    await assert.rejects(
      calls.call('InstallRelease', { name, chart: oneMap('x'), atomic: true }, { signal }),
      { code: 1 },
    );
    const gate = Promise.withResolvers<void>();
    calls.intercept = method => (method === 'InstallRelease' ? gate.promise : undefined);
    const running = [install(oneMap('x')), install(oneMap('x'), { name: `${name}-b` })];
    await eventually(() => asked('InstallRelease') === 2);
    await assert.rejects(install(oneMap('x'), { name: `${name}-c` }), { code: 8, reason: 'OVERLOADED' });
    gate.resolve();
    await Promise.all(running);
  });
});
