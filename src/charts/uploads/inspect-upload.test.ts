import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { before, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { type Entry, makeArchive, makeChart, makeTar } from '../../../test/charts/make-archive.ts';
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
import type { Uploads } from './uploads.ts';

describe('what is not kept', () => {
  let uploads: Uploads;
  let uploadDir: string;
  before(async () => {
    ({ uploads, uploadDir } = await openUploads());
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
    const received = await uploads.receive([whole], { signal });
    await received.discard();
    assert.deepEqual(await readdir(uploadDir), []);
  });
});

test('two gzip members that make one chart together are one archive, as for Helm', async () => {
  const { uploads } = await openUploads();
  const tar = makeTar([{ name: 'web/Chart.yaml', data: 'name: web\nversion: 1.0.0\n' }]);
  await uploads.add(Buffer.concat([gzipSync(tar.subarray(0, 700)), gzipSync(tar.subarray(700))]), once);
  assert.deepEqual(await names(uploads), ['web 1.0.0']);
});
