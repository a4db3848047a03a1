import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { describe, mock, test } from 'node:test';
import {
  again,
  bounds,
  chartOf,
  names,
  once,
  openUploads,
  signal,
} from '../../../test/charts/open-uploads.ts';
import { Code, sharedThreads } from '../../protocol/index.ts';
import { Uploads } from './uploads.ts';

test('without a folder there are no uploads, and every method says so', async () => {
  const uploads = new Uploads({ ...bounds, uploadDir: undefined });
  assert.equal(uploads.isEnabled, false);
  const off = { code: Code.UNIMPLEMENTED, reason: 'NOT_SUPPORTED', message: /--chart-upload-dir/ };
  await assert.rejects(uploads.list(signal), off);
  await assert.rejects(uploads.add(chartOf('web', '1.0.0'), once), off);
  await assert.rejects(uploads.read('web', '', signal), off);
  await assert.rejects(uploads.remove('web', '1.0.0', signal), off);
});

test('an upload is kept under its own name and version, listed, read and removed', async () => {
  const { uploads, another, uploadDir } = await openUploads();
  const archive = chartOf('web', '1.4.2');
  const { upload, replaced } = await uploads.add(archive, once);
  assert.equal(replaced, false);
  assert.deepEqual(await readdir(uploadDir), ['web-1.4.2.tgz']);
  const { digest, created, uploadedMs, parsedVersion, ...rest } = upload;
  assert.match(digest, /^[0-9a-f]{64}$/);
  assert.equal(Date.parse(created), Math.trunc(uploadedMs));
  assert.deepEqual(rest, {
    name: 'web',
    version: '1.4.2',
    appVersion: '2.7',
    description: 'about web',
    home: '',
    icon: '',
    keywords: ['a', 'b'],
    deprecated: false,
    urls: ['uploads/web/1.4.2'],
    fileName: 'web-1.4.2.tgz',
    bytes: archive.length,
  });
  // a gateway that starts later, or another one, knows the same
  for (const one of [uploads, another()]) assert.deepEqual(await one.list(signal), [upload]);
  assert.deepEqual((await another().read('web', '', signal)).content, archive);
  assert.deepEqual(await another().remove('web', '1.4.2', signal), upload);
  for (const one of [uploads, another()]) {
    assert.deepEqual(await one.list(signal), []);
    await assert.rejects(one.remove('web', '1.4.2', signal), {
      code: Code.NOT_FOUND,
      reason: 'CHART_NOT_FOUND',
    });
    await assert.rejects(one.read('web', '1.4.2', signal), { code: Code.INVALID_ARGUMENT });
  }
  assert.deepEqual(await readdir(uploadDir), []);
});

test('versions are ordered, and ranges choose among them', async () => {
  const { uploads } = await openUploads();
  const all = ['1.9.0', '1.10.0', '2.0.0-rc.1', 'v0.9', '1.10.0+build.7'];
  for (const version of all) await uploads.add(chartOf('web', version), once);
  await uploads.add(chartOf('store', '1.0.0'), once);
  assert.deepEqual((await names(uploads)).slice(0, 2), ['store 1.0.0', 'web 2.0.0-rc.1']);
  const ranges = {
    '': '1.10.0',
    '^1.9': '1.10.0',
    '~1.9.0': '1.9.0',
    '>1.0-0': '2.0.0-rc.1',
    'v0.9': 'v0.9',
  };
  for (const [range, version] of Object.entries(ranges)) {
    const { upload } = await uploads.read('web', range, signal);
    assert.equal(upload.version.split('+')[0], version, range);
  }
  assert.equal((await uploads.read('web', '1.10.0+build.7', signal)).upload.version, '1.10.0+build.7');
  await assert.rejects(uploads.read('web', '^3', signal), {
    message: /no version of chart "web" matches "\^3"/,
  });
  await assert.rejects(uploads.read('web', 'x y', signal), { message: /not a version or a range/ });
  await assert.rejects(uploads.read('../web', '', signal), { message: /no chart named "..\/web"/ });
});

describe('the same version again', () => {
  test('is refused, with the same bytes too, unless it is forced', async () => {
    const { uploads, another } = await openUploads();
    const [first, second] = [chartOf('web', '1.0.0', 10), chartOf('web', '1.0.0', 20)];
    await uploads.add(first, once);
    const refused = (message: RegExp) => ({ code: Code.ALREADY_EXISTS, reason: 'CHART_EXISTS', message });
    for (const one of [uploads, another()]) {
      await assert.rejects(one.add(first, once), refused(/uploaded already, the same bytes; force/));
      await assert.rejects(one.add(second, once), refused(/with other bytes; force/));
    }
    assert.deepEqual((await uploads.read('web', '', signal)).content, first);
    assert.equal((await another().add(second, again)).replaced, true);
    assert.deepEqual((await uploads.read('web', '', signal)).content, second);
  });

  test('at once by two gateways: one of them wins', async () => {
    const { uploads, another, uploadDir } = await openUploads();
    const charts = Array.from({ length: 6 }, (_, index) => chartOf('web', '1.0.0', 10 + index));
    const [one, two] = [uploads, another()];
    const outcomes = await Promise.allSettled(
      charts.map((chart, index) => (index % 2 ? one : two).add(chart, once)),
    );
    const winners = charts.filter((_, index) => outcomes[index]?.status === 'fulfilled');
    assert.equal(winners.length, 1);
    for (const outcome of outcomes)
      if (outcome.status === 'rejected') assert.equal(outcome.reason.reason, 'CHART_EXISTS', outcome.reason);
    assert.deepEqual((await another().read('web', '', signal)).content, winners[0]);
    assert.deepEqual(await readdir(uploadDir), ['web-1.0.0.tgz']);
  });

  test('forced at once: the last one stays, whole', async () => {
    const { uploads, another, uploadDir } = await openUploads();
    const charts = Array.from({ length: 6 }, (_, index) => chartOf('web', '1.0.0', 10 + index));
    const [one, two] = [uploads, another()];
    await Promise.all(charts.map((chart, index) => (index % 2 ? one : two).add(chart, again)));
    const { content } = await another().read('web', '', signal);
    assert.ok(charts.some(chart => chart.equals(content)));
    assert.deepEqual(await readdir(uploadDir), ['web-1.0.0.tgz']);
  });

  test('a file of another chart is never replaced', async () => {
    const { uploads } = await openUploads();
    await uploads.add(chartOf('web', '1.0.0-2.0.0'), once);
    const message = /web-1.0.0-2.0.0.tgz is the file of the chart web 1.0.0-2.0.0/;
    await assert.rejects(uploads.add(chartOf('web-1.0.0', '2.0.0'), again), {
      code: Code.ALREADY_EXISTS,
      message,
    });
  });
});

test("the client's name for the file makes no path, and is refused only where it misleads", async () => {
  const { uploads, uploadDir } = await openUploads();
  const archive = chartOf('web', '1.4.2');
  const taken = [
    '../../etc/passwd',
    '..\\..\\x.tgz',
    '/tmp/evil.tgz',
    'C:\\charts\\web-1.4.2.tgz',
    '',
    'x\0y',
    'web.tgz',
  ];
  for (const fileName of taken) await uploads.add(archive, { ...again, fileName });
  const refused = ['web-1.4.3.tgz', 'a/../other-1.4.2.tgz', 'other-v1.0.0.tar.gz'];
  for (const fileName of refused) {
    const message = /^the file is called .*, but its Chart.yaml says web 1.4.2$/;
    await assert.rejects(uploads.add(archive, { ...again, fileName }), {
      code: Code.INVALID_ARGUMENT,
      message,
    });
  }
  assert.deepEqual(await readdir(uploadDir), ['web-1.4.2.tgz']);
});

describe('bounds', () => {
  const full = (message: RegExp) => ({ code: Code.RESOURCE_EXHAUSTED, reason: 'UPLOADS_FULL', message });

  test('on the number', async () => {
    const { uploads, another } = await openUploads({ maxUploads: 2 });
    for (const version of ['1.0.0', '2.0.0']) await uploads.add(chartOf('web', version), once);
    await assert.rejects(
      another().add(chartOf('web', '3.0.0'), once),
      full(/at most 2 uploads \(--chart-max-uploads\)/),
    );
    await another().add(chartOf('web', '2.0.0', 9), again);
    await another().remove('web', '1.0.0', signal);
    await uploads.add(chartOf('web', '3.0.0'), once);
    assert.deepEqual(await names(another()), ['web 3.0.0', 'web 2.0.0']);
  });

  test('on the bytes', async () => {
    const { uploads, another, uploadDir } = await openUploads({ maxUploadBytes: 10_000 });
    await uploads.add(chartOf('web', '1.0.0', 6000), once);
    await assert.rejects(another().add(chartOf('web', '2.0.0', 6000), once), full(/at most 10000 bytes/));
    assert.deepEqual(await readdir(uploadDir), ['web-1.0.0.tgz']);
    await another().add(chartOf('web', '1.0.0', 8000), again);
  });

  test('are not passed by several at once', async () => {
    const { uploads, another } = await openUploads({ maxUploads: 3 });
    const [one, two] = [uploads, another()];
    const charts = Array.from({ length: 8 }, (_, index) => chartOf(`web${index}`, '1.0.0'));
    const outcomes = await Promise.allSettled(
      charts.map((chart, index) => (index % 2 ? one : two).add(chart, once)),
    );
    for (const outcome of outcomes)
      if (outcome.status === 'rejected') assert.equal(outcome.reason.reason, 'UPLOADS_FULL', outcome.reason);
    const kept = outcomes.filter(({ status }) => status === 'fulfilled').length;
    assert.ok(kept >= 1 && kept <= 3, String(kept));
    assert.equal((await names(another())).length, kept);
  });

  test('on what arrives at once', async () => {
    const { uploads, uploadDir } = await openUploads({ maxBytes: 1000 });
    const part = Buffer.alloc(1000);
    const { promise, resolve } = Promise.withResolvers<void>();
    const stalled = async function* () {
      yield part;
      await promise;
    };
    const all = Array.from({ length: 8 }, () => uploads.receive(stalled(), { signal }));
    const late = uploads.receive(stalled(), { signal });
    await assert.rejects(late, { code: Code.UNAVAILABLE, reason: 'OVERLOADED' });
    resolve();
    for (const received of await Promise.all(all)) await received.discard();
    await (await uploads.receive(stalled(), { signal })).discard();
    assert.deepEqual(await readdir(uploadDir), []);
  });
});

test('lists at the same time look at each file once, and one that is given up leaves the others theirs', async () => {
  const { uploads, another } = await openUploads();
  for (const name of ['a', 'b', 'c']) await uploads.add(chartOf(name, '1.0.0'), once);
  const run = mock.method(sharedThreads, 'run');
  try {
    const started = another();
    const gone = new AbortController();
    const lists = [gone.signal, signal, signal].map(one => started.list(one));
    gone.abort(new Error('gone'));
    await assert.rejects(lists[0]!, { message: 'gone' });
    for (const list of lists.slice(1)) assert.equal((await list).length, 3);
    assert.equal(run.mock.callCount(), 3);
  } finally {
    run.mock.restore();
  }
});
