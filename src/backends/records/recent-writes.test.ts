import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { eventually } from '../../../test/support/eventually.ts';
import { FakeRecords } from '../../../test/support/fake-records.ts';
import { encodeMessage, type StatusCode } from '../../codec/index.ts';
import { RecentWrites } from './recent-writes.ts';

const open = new AbortController().signal;
const none = new Map<string, number>();

class Stage {
  readonly records = new FakeRecords();
  readonly writes: RecentWrites;

  constructor(waitMs = 60_000) {
    this.writes = new RecentWrites(this.records.store, { waitMs });
  }

  /** A write that Tiller has answered. */
  wrote(method: string, name: string, version: number, status: StatusCode, purge = false): void {
    const release = { name, version, info: { status: { code: status } } };
    const reply = encodeMessage('hapi.services.tiller.UninstallReleaseResponse', { release });
    const request = encodeMessage('hapi.services.tiller.UninstallReleaseRequest', { name, purge });
    this.writes.ended(method, name, request, reply);
  }

  read(name: string | undefined, minimum: ReadonlyMap<string, number> = none) {
    return this.writes.settle(name, minimum, open);
  }

  /** Whether a read still waits. */
  async waits(read: Promise<unknown>): Promise<boolean> {
    return Promise.race([read.then(() => false), setImmediate(true)]);
  }
}

describe('reads after writes through this gateway', () => {
  test('wait until the record is there as Tiller answered it, not while it is pending', async () => {
    const stage = new Stage();
    stage.wrote('InstallRelease', 'a', 1, 'DEPLOYED');
    const [read, list] = [stage.read('a'), stage.read(undefined)];
    assert.equal(await stage.read('b'), undefined, 'other releases do not wait');
    stage.records.put({ name: 'a', status: 'PENDING_INSTALL' });
    assert.ok(await stage.waits(read));
    stage.records.put({ name: 'a' });
    assert.deepEqual(await Promise.all([read, list, stage.read('a')]), [undefined, undefined, undefined]);
  });

  test('a minimum counts for a release of Helm 3, a write of Tiller does not', async () => {
    const stage = new Stage();
    stage.records.put({ name: 'a', version: 3, storage: 'helm3' });
    assert.equal(await stage.read('a', new Map([['a', 3]])), undefined);
    const later = stage.read('a', new Map([['a', 4]]));
    assert.ok(await stage.waits(later));
    stage.records.put({ name: 'a', version: 4, storage: 'helm3' });
    assert.equal(await later, undefined);
    stage.wrote('InstallRelease', 'a', 1, 'DEPLOYED');
    const reads = [stage.read('a'), stage.read('a', new Map([['a', 1]]))];
    for (const read of reads) assert.ok(await stage.waits(read));
    stage.records.put({ name: 'a', version: 1 });
    assert.deepEqual(await Promise.all(reads), [undefined, undefined]);
  });

  test('what came after the write will do as well', async () => {
    const stage = new Stage();
    stage.wrote('UpdateRelease', 'a', 2, 'DEPLOYED');
    const read = stage.read('a');
    stage.records.put({ name: 'a', version: 3, status: 'PENDING_UPGRADE' });
    assert.equal(await read, undefined);
  });

  test('a deleted release: its record says so, or is gone', async () => {
    for (const purge of [false, true]) {
      const stage = new Stage();
      stage.records.put({ name: 'a' });
      stage.wrote('UninstallRelease', 'a', 1, 'DELETED', purge);
      const read = stage.read(undefined);
      stage.records.put({ name: 'a', status: 'DELETING' });
      assert.ok(await stage.waits(read));
      stage.records.put({ name: 'a', status: 'DELETED' });
      assert.equal(await stage.waits(read), purge);
      stage.records.delete('a');
      assert.equal(await read, undefined);
    }
  });

  test('what does not come in time is named, and later reads wait no more until it comes', async () => {
    const stage = new Stage(30);
    stage.wrote('UpdateRelease', 'a', 2, 'DEPLOYED');
    assert.equal(await stage.read('a'), 'revision 2 of release a');
    // a timer may fire a little before its time
    await eventually(async () => !(await stage.waits(stage.read('a'))));
    assert.equal(await stage.read('a'), 'revision 2 of release a');
    stage.records.put({ name: 'a', version: 2 });
    assert.equal(await stage.read('a'), undefined);
  });

  test('after a write that failed nobody knows: not from records for a while, without waiting', async () => {
    const stage = new Stage(1_000);
    stage.writes.ended('UpdateRelease', 'a', Buffer.alloc(0), undefined);
    assert.match((await stage.read('a')) ?? '', /the last write/);
    assert.equal(await stage.read('b'), undefined);
    await eventually(async () => (await stage.read('a')) === undefined);
  });

  test('a read whose client leaves waits no more', async () => {
    const stage = new Stage();
    stage.wrote('InstallRelease', 'a', 1, 'DEPLOYED');
    assert.equal(await stage.writes.settle('a', none, AbortSignal.abort()), 'revision 1 of release a');
  });

  test('too many writes that nobody reads are dropped, and for a while nothing comes from records', async () => {
    const stage = new Stage(1000);
    for (let index = 0; index <= 10_000; index++) stage.wrote('InstallRelease', `r${index}`, 1, 'DEPLOYED');
    assert.equal(await stage.read('r0'), 'too many writes at once');
  });
});

describe('revisions that a client knows of', () => {
  test('reads of the release, and lists, wait for them', async () => {
    const stage = new Stage();
    stage.records.put({ name: 'a' });
    const minimum = new Map([['a', 2]]);
    const [read, list] = [stage.read('a', minimum), stage.read(undefined, minimum)];
    assert.equal(await stage.read('b', minimum), undefined);
    assert.equal(await stage.read('a', new Map([['a', 1]])), undefined);
    stage.records.put({ name: 'a', version: 2, status: 'PENDING_UPGRADE' });
    assert.ok((await stage.waits(read)) && (await stage.waits(list)));
    stage.records.put({ name: 'a', version: 2, status: 'FAILED' });
    assert.deepEqual(await Promise.all([read, list]), [undefined, undefined]);
  });

  test('one that does not come in time is named', async () => {
    assert.equal(await new Stage(10).read('a', new Map([['a', 7]])), 'revision 7 of release a');
  });
});
