import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import * as nodeFiles from 'node:fs/promises';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { type Entry, makeArchive, makeChart, makeTar } from '../../../test/charts/make-archive.ts';
import { Code } from '../../protocol/index.ts';
import type { Files } from './upload-folder.ts';
import { Uploads } from './uploads.ts';

const bounds = {
  maxBytes: 256 * 1024,
  maxEntries: 50,
  maxNestedArchives: 2,
  maxUnpackedBytes: 2 ** 20,
  maxUploadBytes: 2 ** 20,
  maxUploads: 10,
};
const { signal } = new AbortController();
const once = { signal, force: false };
const again = { signal, force: true };

let root: string;
let count = 0;

before(async () => {
  // most of the time would go into waiting for a disk
  root = await mkdtemp(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'uploads-'));
});
after(() => rm(root, { recursive: true }));

/** Uploads in an empty folder of their own. */
async function open(options: Partial<typeof bounds> = {}, files?: Files) {
  const uploadDir = join(root, String(count++));
  await mkdir(uploadDir);
  const another = () => new Uploads({ ...bounds, ...options, uploadDir }, files);
  return { uploads: another(), another, uploadDir };
}

/** A chart that does not pack well, so that it has about so many bytes. */
function chartOf(name: string, version: string, bytes = 0): Buffer {
  const metadata = `name: ${name}\nversion: ${version}\nappVersion: "2.7"\nkeywords: [a, b]\ndescription: about ${name}\n`;
  return makeChart({ 'Chart.yaml': metadata, 'values.yaml': 'a: 1\n', noise: randomBytes(bytes) }, name);
}

async function names(uploads: Uploads): Promise<string[]> {
  return (await uploads.list(signal)).map(({ name, version }) => `${name} ${version}`);
}

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
  const { uploads, another, uploadDir } = await open();
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
  const { uploads } = await open();
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
    const { uploads, another } = await open();
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
    const { uploads, another, uploadDir } = await open();
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
    const { uploads, another, uploadDir } = await open();
    const charts = Array.from({ length: 6 }, (_, index) => chartOf('web', '1.0.0', 10 + index));
    const [one, two] = [uploads, another()];
    await Promise.all(charts.map((chart, index) => (index % 2 ? one : two).add(chart, again)));
    const { content } = await another().read('web', '', signal);
    assert.ok(charts.some(chart => chart.equals(content)));
    assert.deepEqual(await readdir(uploadDir), ['web-1.0.0.tgz']);
  });

  test('a file of another chart is never replaced', async () => {
    const { uploads } = await open();
    await uploads.add(chartOf('web', '1.0.0-2.0.0'), once);
    const message = /web-1.0.0-2.0.0.tgz is the file of the chart web 1.0.0-2.0.0/;
    await assert.rejects(uploads.add(chartOf('web-1.0.0', '2.0.0'), again), {
      code: Code.ALREADY_EXISTS,
      message,
    });
  });
});

test("the client's name for the file makes no path, and is refused only where it misleads", async () => {
  const { uploads, uploadDir } = await open();
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

describe('what is not kept', () => {
  let uploads: Uploads;
  let uploadDir: string;
  before(async () => {
    ({ uploads, uploadDir } = await open());
  });

  const metadata = 'name: web\nversion: 1.0.0\n';
  const chart = { name: 'web/Chart.yaml', data: metadata };
  const withEntry = (...entries: Entry[]) => makeArchive([chart, ...entries]);
  const nested = (archive: Uint8Array) => withEntry({ name: 'web/charts/child-1.0.0.tgz', data: archive });
  const whole = makeChart({ 'Chart.yaml': metadata });
  const bomb = makeArchive([chart, { name: 'web/zeros', data: Buffer.alloc(2 ** 21) }]);
  const cases: Record<string, [archive: Buffer, message: RegExp]> = {
    'no bytes': [Buffer.alloc(0), /gzipped/],
    text: [Buffer.from('apiVersion: v1\n'), /gzipped/],
    'a bare tar': [makeTar([chart]), /gzipped/],
    'gzip of nothing': [gzipSync(''), /no files/],
    'gzip of text': [gzipSync('x'.repeat(2000)), /not a tar archive/],
    'cut off': [whole.subarray(0, -20), /damaged/],
    'cut off within the tar': [
      gzipSync(makeTar([chart, { name: 'web/a', data: 'x', claimedSize: 9999 }])),
      /cut off/,
    ],
    'a second member that is no tar': [
      Buffer.concat([gzipSync(makeTar([chart]).subarray(0, 1024)), gzipSync('x'.repeat(600))]),
      /not a tar|cut off/,
    ],
    'no Chart.yaml': [makeChart({ 'values.yaml': '' }), /Chart.yaml\) missing/],
    'Chart.yaml is a list': [makeChart({ 'Chart.yaml': '[]' }), /must be a map/],
    'no name': [makeChart({ 'Chart.yaml': 'version: 1.0.0' }), /name must not be empty/],
    'no version': [makeChart({ 'Chart.yaml': 'name: web' }), /version must not be empty/],
    'a version that is none': [
      makeChart({ 'Chart.yaml': 'name: web\nversion: latest' }),
      /"latest" is no version/,
    ],
    'a version that climbs': [
      makeChart({ 'Chart.yaml': 'name: web\nversion: 1.0.0/../../x' }),
      /is no version/,
    ],
    'a chart of Helm 3': [
      makeChart({ 'Chart.yaml': `apiVersion: v2\n${metadata}` }),
      /apiVersion 'v2' is not valid/,
    ],
    'a library': [
      makeChart({ 'Chart.yaml': `type: library\n${metadata}` }),
      /library charts are not installable/,
    ],
    'a symbolic link': [withEntry({ name: 'web/link', type: '2' }), /has a symbolic link: "web\/link"/],
    'a hard link': [withEntry({ name: 'web/link', type: '1' }), /has a hard link/],
    'a device': [withEntry({ name: 'web/null', type: '3' }), /has a device/],
    'a pipe': [withEntry({ name: 'web/pipe', type: '6' }), /has a pipe/],
    'a link in a chart inside': [
      nested(
        makeArchive([
          { name: 'c/Chart.yaml', data: 'name: c' },
          { name: 'c/l', type: '2' },
        ]),
      ),
      /child-1.0.0.tgz in web: the archive has a symbolic link/,
    ],
    'a bomb': [bomb, /larger than 1048576 bytes when unpacked/],
    'a bomb inside': [nested(bomb), /larger than 1048576 bytes when unpacked/],
    'too many files': [
      withEntry(...Array.from({ length: 60 }, (_, index) => ({ name: `web/${index}` }))),
      /more than 50 files/,
    ],
    'archives in archives': [nested(nested(nested(whole))), /nested deeper than 2/],
    'requirements are looked at later': [
      makeChart({ 'Chart.yaml': metadata, 'values.toml': '' }),
      /values.toml is illegal/,
    ],
  };
  for (const name of ['web/../../etc/x', '../x/y', '/etc/x', 'web/..', '..\\..\\x', 'web/a/../../../b'])
    cases[`the name ${name}`] = [withEntry({ name, data: 'x' }), /leads out of it/];
  for (const name of ['..', '.', '../x', 'a/b', '/x', 'a\\b', '-x', 'x'.repeat(101), 'a b', 'ä', '"a\\0b"'])
    cases[`the chart's name ${name.slice(0, 20)}`] = [
      makeChart({ 'Chart.yaml': `name: ${name}\nversion: 1.0.0` }),
      /cannot be the name of a file|control|Chart.yaml/,
    ];

  for (const [what, [archive, message]] of Object.entries(cases)) {
    test(what, async () => {
      await assert.rejects(uploads.add(archive, again), {
        name: 'GatewayError',
        code: Code.INVALID_ARGUMENT,
        message,
      });
      assert.deepEqual(await readdir(uploadDir), []);
    });
  }

  test('more bytes than a chart may have', async () => {
    const large = { code: Code.RESOURCE_EXHAUSTED, reason: 'BODY_TOO_LARGE' };
    await assert.rejects(uploads.add(chartOf('web', '1.0.0', bounds.maxBytes), again), large);
    assert.deepEqual(await readdir(uploadDir), []);
  });

  test('what ends before its end, or whose client goes', async () => {
    async function* broken() {
      yield whole.subarray(0, 20);
      throw new Error('the form is cut off');
    }
    await assert.rejects(uploads.receive(broken(), { signal }), { message: 'the form is cut off' });
    const gone = new AbortController();
    async function* left() {
      yield whole.subarray(0, 20);
      gone.abort(new Error('gone'));
      yield whole.subarray(20);
    }
    await assert.rejects(uploads.receive(left(), { signal: gone.signal }), { message: 'gone' });
    const received = await uploads.receive([whole] as unknown as AsyncIterable<Buffer>, { signal });
    await received.discard();
    assert.deepEqual(await readdir(uploadDir), []);
  });
});

test('two gzip members that make one chart together are one archive, as for Helm', async () => {
  const { uploads } = await open();
  const tar = makeTar([{ name: 'web/Chart.yaml', data: 'name: web\nversion: 1.0.0\n' }]);
  await uploads.add(Buffer.concat([gzipSync(tar.subarray(0, 700)), gzipSync(tar.subarray(700))]), once);
  assert.deepEqual(await names(uploads), ['web 1.0.0']);
});

describe('bounds', () => {
  const full = (message: RegExp) => ({ code: Code.RESOURCE_EXHAUSTED, reason: 'UPLOADS_FULL', message });

  test('on the number', async () => {
    const { uploads, another } = await open({ maxUploads: 2 });
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
    const { uploads, another, uploadDir } = await open({ maxUploadBytes: 10_000 });
    await uploads.add(chartOf('web', '1.0.0', 6000), once);
    await assert.rejects(another().add(chartOf('web', '2.0.0', 6000), once), full(/at most 10000 bytes/));
    assert.deepEqual(await readdir(uploadDir), ['web-1.0.0.tgz']);
    await another().add(chartOf('web', '1.0.0', 8000), again);
  });

  test('are not passed by several at once', async () => {
    const { uploads, another } = await open({ maxUploads: 3 });
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
    const { uploads, uploadDir } = await open({ maxBytes: 1000 });
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

describe('other files of the folder', () => {
  test('are ignored, and links in it are not followed', async () => {
    const { uploads, uploadDir } = await open();
    const secret = join(root, 'secret-1.0.0.tgz');
    await writeFile(secret, chartOf('secret', '1.0.0'));
    await symlink(secret, join(uploadDir, 'secret-1.0.0.tgz'));
    await symlink('/nowhere', join(uploadDir, 'web-2.0.0.tgz'));
    await mkdir(join(uploadDir, 'folder-1.0.0.tgz'));
    await writeFile(join(uploadDir, 'notes.txt'), 'x');
    await writeFile(join(uploadDir, '.hidden-1.0.0.tgz'), chartOf('hidden', '1.0.0'));
    await writeFile(join(uploadDir, 'garbage-1.0.0.tgz'), 'x');
    await writeFile(join(uploadDir, 'empty-1.0.0.tgz'), '');
    await writeFile(join(uploadDir, 'other-1.0.0.tgz'), chartOf('another', '1.0.0'));
    await writeFile(join(uploadDir, 'placed-1.0.0.tgz'), chartOf('placed', '1.0.0'));
    assert.deepEqual(await names(uploads), ['placed 1.0.0']);
    for (const name of ['secret', 'garbage', 'other', 'folder', '.hidden', 'empty'])
      await assert.rejects(uploads.remove(name, '1.0.0', signal), { code: Code.NOT_FOUND });
    const taken = { reason: 'CHART_EXISTS', message: /has a file/ };
    for (const name of ['secret', 'garbage'])
      await assert.rejects(uploads.add(chartOf(name, '1.0.0'), once), taken);
    await uploads.add(chartOf('secret', '1.0.0', 1), again);
    assert.deepEqual(await names(uploads), ['placed 1.0.0', 'secret 1.0.0']);
    assert.deepEqual(await readFile(secret), await readFile(secret));
    await assert.rejects(uploads.add(chartOf('folder', '1.0.0'), again), {
      reason: 'UPLOADS_UNAVAILABLE',
      message: /EISDIR/,
    });
  });

  test('a file that a killed process left is removed by its age, a live one never', async () => {
    const { uploads, uploadDir, another } = await open();
    const long = new Date(Date.now() - 2 * 60 * 60_000);
    const part = (name: string) => join(uploadDir, `.upload-${name.repeat(32)}.part`);
    for (const name of ['a', 'b']) await writeFile(part(name), 'x');
    await writeFile(join(uploadDir, '.upload-x.part'), 'x');
    for (const path of [part('a'), join(uploadDir, '.upload-x.part')]) await utimes(path, long, long);
    const received = await another().receive([chartOf('web', '1.0.0')] as unknown as AsyncIterable<Buffer>, {
      signal,
    });
    await uploads.list(signal);
    const left = await readdir(uploadDir);
    assert.ok(left.includes('.upload-x.part') && left.includes(`.upload-${'b'.repeat(32)}.part`));
    assert.equal(left.length, 3);
    await received.keep(once);
    assert.deepEqual(await names(uploads), ['web 1.0.0']);
  });
});

describe('a process that ends at any of its calls', () => {
  /** The file system up to its call with this number, which and all later ones never come back. */
  function endingFiles(last: number) {
    const { promise: ended, resolve } = Promise.withResolvers<void>();
    let calls = 0;
    const wrap = <T extends object>(target: T, names: readonly string[]): T => {
      const wrapped = target as Record<string, unknown>;
      for (const name of names) {
        const real = (wrapped[name] as (...args: unknown[]) => Promise<object>).bind(target);
        wrapped[name] = (...args: unknown[]) => {
          if (calls++ < last) return real(...args).then(result => wrapHandle(result));
          resolve();
          return new Promise(() => {});
        };
      }
      return target;
    };
    const closers: (() => Promise<void>)[] = [];
    const wrapHandle = <T>(result: T): T => {
      if (!result || typeof result !== 'object' || !('writeFile' in result)) return result;
      const handle = result as unknown as nodeFiles.FileHandle;
      closers.push(handle.close.bind(handle));
      return wrap(result, ['writeFile', 'sync', 'close']);
    };
    const close = async () => {
      for (const closer of closers) await closer().catch(() => {});
    };
    const files = wrap({ ...nodeFiles }, ['link', 'lstat', 'open', 'readdir', 'rename', 'unlink']);
    return { files: files as unknown as Files, ended, close };
  }

  for (const force of [false, true]) {
    test(force ? 'while it replaces an upload' : 'while it uploads', async () => {
      const [old, fresh] = [chartOf('web', '1.0.0', 10), chartOf('web', '1.0.0', 20)];
      let kept = false;
      let moments = 0;
      for (; !kept; moments++) {
        const { another, uploadDir } = await open();
        if (force) await another().add(old, once);
        const { files, ended, close } = endingFiles(moments);
        const adding = new Uploads({ ...bounds, uploadDir }, files).add(fresh, { signal, force });
        kept = await Promise.race([ended.then(() => false), adding.then(() => true)]);
        const listed = await another().list(signal);
        const contents = await Promise.all(
          listed.map(({ version }) => another().read('web', version, signal)),
        );
        const whole = contents.every(({ content }) => [old, fresh].some(chart => chart.equals(content)));
        assert.ok(whole && listed.length <= 1 && listed.length >= Number(force || kept), String(moments));
        if (kept) assert.deepEqual(contents[0]?.content, fresh);
        await close();
      }
      assert.ok(moments > 10, String(moments));
    });
  }
});

describe('a disk that fails', () => {
  type Call = keyof Files | 'write' | 'sync' | 'close';
  /** The file system, but that a call fails while `failing` says so. */
  function failingFiles(state: { failing?: Call; code: string }): Files {
    const check = (call: Call) => {
      if (state.failing !== call) return;
      throw Object.assign(new Error(`${state.code}: at /secret/path`), { code: state.code, syscall: call });
    };
    const wrapHandle = (handle: nodeFiles.FileHandle) => {
      const { sync, close, writeFile: write } = handle;
      handle.sync = async () => {
        check('sync');
        await sync.call(handle);
      };
      handle.close = async () => close.call(handle).then(() => check('close'));
      handle.writeFile = async (data, ...rest) => {
        if (state.failing === 'write') await write.call(handle, (data as Buffer).subarray(0, 5));
        check('write');
        return write.call(handle, data, ...rest);
      };
      return handle;
    };
    const files = { ...nodeFiles } as Record<string, unknown>;
    for (const call of ['link', 'lstat', 'readdir', 'rename', 'unlink', 'open'] as const) {
      const real = files[call] as (...args: unknown[]) => Promise<unknown>;
      files[call] = async (...args: unknown[]) => {
        check(call);
        const result = await real(...args);
        return call === 'open' ? wrapHandle(result as nodeFiles.FileHandle) : result;
      };
    }
    return files as unknown as Files;
  }

  const cases: [Call, string, string][] = [
    ['open', 'ENOSPC', 'UPLOADS_FULL'],
    ['write', 'ENOSPC', 'UPLOADS_FULL'],
    ['write', 'EDQUOT', 'UPLOADS_FULL'],
    ['write', 'EFBIG', 'UPLOADS_FULL'],
    ['write', 'EIO', 'UPLOADS_UNAVAILABLE'],
    ['sync', 'ENOSPC', 'UPLOADS_FULL'],
    ['sync', 'EIO', 'UPLOADS_UNAVAILABLE'],
    ['close', 'ENOSPC', 'UPLOADS_FULL'],
    ['rename', 'ENOSPC', 'UPLOADS_FULL'],
    ['link', 'ENOSPC', 'UPLOADS_FULL'],
    ['link', 'EPERM', 'UPLOADS_UNAVAILABLE'],
    ['readdir', 'EIO', 'UPLOADS_UNAVAILABLE'],
    ['lstat', 'EACCES', 'UPLOADS_UNAVAILABLE'],
    ['open', 'EROFS', 'UPLOADS_UNAVAILABLE'],
  ];
  for (const [call, code, reason] of cases) {
    test(`${call}: ${code}`, async () => {
      const state: { failing?: Call; code: string } = { code };
      const { uploads, uploadDir } = await open({}, failingFiles(state));
      await uploads.add(chartOf('kept', '1.0.0'), once);
      state.failing = call;
      await assert.rejects(
        uploads.add(chartOf('web', '1.0.0'), once),
        (error: Error & { reason: string }) => {
          assert.equal(error.reason, reason);
          assert.match(error.message, new RegExp(code));
          assert.doesNotMatch(error.message, /\//);
          return true;
        },
      );
      delete state.failing;
      assert.deepEqual(await readdir(uploadDir), ['kept-1.0.0.tgz']);
      await uploads.add(chartOf('web', '1.0.0'), once);
      assert.deepEqual(await names(uploads), ['kept 1.0.0', 'web 1.0.0']);
    });
  }
});
