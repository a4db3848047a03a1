import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { type Entry, makeTar, paxRecord, withChecksum } from '../../../test/charts/make-archive.ts';
import { GatewayError } from '../../protocol/index.ts';
import { readTar } from './read-tar.ts';

function read(archive: Buffer) {
  return [...readTar(archive)].map(({ name, data, isFolder, type }) => ({
    name: name.toString('latin1'),
    data: data.toString('latin1'),
    isFolder,
    type,
  }));
}

function refuses(archive: Buffer, message: RegExp) {
  assert.throws(() => read(archive), { name: 'GatewayError', code: 3, message });
}

describe('what tar writes in each of its forms', () => {
  const longName = `${'folder-with-a-long-name/'.repeat(6)}a-file-with-a-long-name.yaml`;
  for (const format of ['v7', 'ustar', 'gnu', 'pax']) {
    test(format, t => {
      const folder = mkdtempSync(join(tmpdir(), 'read-tar-'));
      t.after(() => rmSync(folder, { recursive: true }));
      writeFileSync(join(folder, 'name'), 'content\0\xff', 'latin1');
      const name = format === 'v7' ? 'short.yaml' : longName;
      const archive = execFileSync('tar', [
        ...['-C', folder, `--format=${format}`, `--transform=s,name,${name},`, '-cf', '-', 'name'],
      ]);
      assert.deepEqual(read(archive), [{ name, data: 'content\0\xff', isFolder: false, type: '0' }]);
    });
  }
});

describe('names', () => {
  test('prefix and name of the ustar form belong together', () => {
    const [entry] = read(makeTar([{ name: 'b.yaml', prefix: 'chart/a' }]));
    assert.equal(entry?.name, 'chart/a/b.yaml');
  });

  test('stay the bytes they are', () => {
    const name = Buffer.from([0x61, 0x2f, 0xff, 0xfe]);
    const [entry] = [...readTar(makeTar([{ name }]))];
    assert.deepEqual(Buffer.from(entry?.name ?? ''), name);
  });

  test('a PAX path takes the place of the name, for one entry', () => {
    const archive = makeTar([
      { name: 'header', type: 'x', data: paxRecord('path', 'long') },
      { name: 'short' },
      { name: 'next' },
    ]);
    assert.deepEqual(
      read(archive).map(({ name }) => name),
      ['long', 'next'],
    );
  });

  test('a GNU long name takes the place of the name', () => {
    const archive = makeTar([
      { name: '././@LongLink', type: 'L', data: `${'n'.repeat(200)}\0` },
      { name: 'short' },
    ]);
    assert.equal(read(archive)[0]?.name, 'n'.repeat(200));
  });
});

describe('what an entry is', () => {
  const kinds: [string, Entry, { isFolder: boolean; data: string }][] = [
    ['a folder by its type', { name: 'a/', type: '5' }, { isFolder: true, data: '' }],
    ['a folder by its mode', { name: 'a', mode: 0o040755 }, { isFolder: true, data: '' }],
    ['an old folder, by the slash', { name: 'a/', type: '\0' }, { isFolder: true, data: '' }],
    ['a file with a slash', { name: 'a/', type: '0', data: 'x' }, { isFolder: false, data: 'x' }],
    ['a link has no content', { name: 'a', type: '2', claimedSize: 9 }, { isFolder: false, data: '' }],
    ['a type nobody knows is a file', { name: 'a', type: 'Z', data: 'x' }, { isFolder: false, data: 'x' }],
  ];
  for (const [title, entry, expected] of kinds) {
    test(title, () => {
      const { isFolder, data } = read(makeTar([entry, { name: 'next' }]))[0] ?? {};
      assert.deepEqual({ isFolder, data }, expected);
    });
  }
});

describe('sizes', () => {
  test('in binary, as GNU writes large ones', () => {
    const archive = makeTar([{ name: 'a', data: 'abc' }]);
    archive.fill(0, 124, 136);
    archive[124] = 0x80;
    archive[135] = 3;
    withChecksum(archive.subarray(0, 512));
    assert.equal(read(archive)[0]?.data, 'abc');
  });

  test('in a PAX header', () => {
    const archive = makeTar([
      { name: 'header', type: 'x', data: paxRecord('size', '3') },
      { name: 'a', data: 'abc', claimedSize: 0 },
    ]);
    assert.equal(read(archive)[0]?.data, 'abc');
  });
});

describe('checksums', () => {
  const name = Buffer.from('caf\xe9-\xff.yaml', 'latin1'); // bytes over 127 tell the two sums apart
  const checksumOf = (block: Buffer, read: 'readUInt8' | 'readInt8') =>
    block.reduce((sum, _byte, at) => sum + (at >= 148 && at < 156 ? 0x20 : block[read](at)), 0);
  const stating = (checksum: number) => {
    const archive = makeTar([{ name, data: 'abc' }]);
    archive.write(`${checksum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
    return archive;
  };
  const header = makeTar([{ name, data: 'abc' }]).subarray(0, 512);
  const unsigned = checksumOf(header, 'readUInt8');
  const signed = checksumOf(header, 'readInt8');

  test('of unsigned bytes, and of signed ones as old programs wrote them, are taken', () => {
    assert.equal(signed, unsigned - 2 * 256);
    for (const sum of [unsigned, signed]) assert.equal(read(stating(sum))[0]?.data, 'abc');
  });

  test('of anything else are refused', () => {
    const wrong = [0, 1, unsigned - 256, unsigned + 1, unsigned - 1, signed - 1, signed + 1, 0o777777];
    for (const sum of wrong) refuses(stating(sum), /checksum/);
    const field = header.subarray(148, 156).reduce((sum, byte) => sum + byte, 0);
    refuses(stating(unsigned - 8 * 0x20 + field), /checksum/); // its own field does not count as it stands
    refuses(stating(unsigned - 8 * 0x20), /checksum/); // nor as nothing
  });

  test('cover every byte of the header', () => {
    for (let at = 0; at < 512; at++) {
      if (at >= 148 && at < 156) continue;
      const archive = Buffer.from(makeTar([{ name, data: 'abc' }]));
      archive[at] = archive[at]! ^ 2;
      assert.throws(() => read(archive), { name: 'GatewayError', code: 3 }, `byte ${at}`);
    }
  });
});

describe('the end', () => {
  test('is where the archive ends between two entries', () => {
    const archive = makeTar([{ name: 'a', data: 'x' }]);
    assert.equal(read(archive.subarray(0, 1024)).length, 1);
  });

  test('is at two zero blocks, whatever follows', () => {
    const archive = Buffer.concat([makeTar([{ name: 'a' }]), Buffer.from('anything')]);
    assert.equal(read(archive).length, 1);
  });
});

describe('what is no archive', () => {
  const good = makeTar([{ name: 'a', data: 'x'.repeat(600) }]);
  const cases: [string, Buffer, RegExp][] = [
    ['text', Buffer.from('no archive'.repeat(100)), /checksum|number/],
    ['half a header', good.subarray(0, 300), /cut off/],
    ['half a content', good.subarray(0, 700), /cut off/],
    ['a wrong checksum', flipped(good, 0), /checksum/],
    ['data behind one zero block', Buffer.concat([Buffer.alloc(512), good]), /zero block/],
    ['a size beyond the archive', makeTar([{ name: 'a', claimedSize: 2 ** 30 }]), /cut off/],
    ['a PAX record without end', makeTar([{ name: 'h', type: 'x', data: '99 path=a\n' }]), /extended header/],
    ['a PAX record of no length', makeTar([{ name: 'h', type: 'x', data: '0 path=a\n' }]), /extended header/],
    [
      'a PAX size that is none',
      makeTar([{ name: 'h', type: 'x', data: paxRecord('size', '-1') }]),
      /extended/,
    ],
    ['a PAX name with NUL', makeTar([{ name: 'h', type: 'x', data: paxRecord('path', 'a\0b') }]), /NUL/],
    ['a sparse file', makeTar([{ name: 'a', type: 'S' }]), /sparse/],
    [
      'a huge extended header',
      makeTar([{ name: 'h', type: 'L', data: Buffer.alloc(2 ** 20 + 1, 0x61) }]),
      /too large/,
    ],
  ];
  for (const [title, archive, message] of cases) {
    test(title, () => refuses(archive, message));
  }
});

test('errors are the one class', () => {
  assert.throws(() => read(Buffer.alloc(513, 1)), GatewayError);
});

function flipped(bytes: Buffer, index: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[index] = (copy[index] ?? 0) ^ 1;
  return copy;
}
