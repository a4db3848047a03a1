import assert from 'node:assert/strict';
import * as nodeFiles from 'node:fs/promises';
import { mkdir, readdir, readFile, symlink, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import {
  again,
  bounds,
  chartOf,
  names,
  once,
  openUploads,
  signal,
} from '../../../test/charts/open-uploads.ts';
import { Code } from '../../protocol/index.ts';
import type { Files } from './upload-folder.ts';
import { Uploads } from './uploads.ts';

describe('other files of the folder', () => {
  test('are ignored, and links in it are not followed', async () => {
    const { uploads, uploadDir } = await openUploads();
    const secret = join(dirname(uploadDir), 'secret-1.0.0.tgz');
    const secretChart = chartOf('secret', '1.0.0');
    await writeFile(secret, secretChart);
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
    assert.deepEqual(await readFile(secret), secretChart);
    await assert.rejects(uploads.add(chartOf('folder', '1.0.0'), again), {
      reason: 'UPLOADS_UNAVAILABLE',
      message: /EISDIR/,
    });
  });

  test('a file that a killed process left is removed by its age, a live one never', async () => {
    const { uploads, uploadDir, another } = await openUploads();
    const long = new Date(Date.now() - 2 * 60 * 60_000);
    const part = (name: string) => join(uploadDir, `.upload-${name.repeat(32)}.part`);
    for (const name of ['a', 'b']) await writeFile(part(name), 'x');
    await writeFile(join(uploadDir, '.upload-x.part'), 'x');
    for (const path of [part('a'), join(uploadDir, '.upload-x.part')]) await utimes(path, long, long);
    const received = await another().receive([chartOf('web', '1.0.0')], { signal });
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
        const { another, uploadDir } = await openUploads();
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
      const { uploads, uploadDir } = await openUploads({}, failingFiles(state));
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
