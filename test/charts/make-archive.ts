import { gzipSync } from 'node:zlib';

/** An entry of a tar archive, as odd as a test wants it. */
export interface Entry {
  readonly name: string | Buffer;
  readonly data?: string | Uint8Array;
  /** The type's letter; `0` is a file. */
  readonly type?: string;
  readonly mode?: number;
  /** A size to claim in place of the true one. */
  readonly claimedSize?: number;
  /** Goes before the name, in the ustar form. */
  readonly prefix?: string;
}

/** Packs entries as a tar archive in the ustar form, names longer than 100 bytes cut off. */
export function makeTar(entries: readonly Entry[]): Buffer {
  return Buffer.concat([...entries.flatMap(entryBlocks), Buffer.alloc(1024)]);
}

export function makeArchive(entries: readonly Entry[]): Buffer {
  return gzipSync(makeTar(entries));
}

/** A packed chart from its files' names below its folder. */
export function makeChart(files: Readonly<Record<string, string | Uint8Array>>, folder = 'chart'): Buffer {
  return makeArchive(Object.entries(files).map(([name, data]) => ({ name: `${folder}/${name}`, data })));
}

/** One record of a PAX extended header. */
export function paxRecord(key: string, value: string | Buffer): Buffer {
  const rest = Buffer.concat([Buffer.from(` ${key}=`), Buffer.from(value), Buffer.from('\n')]);
  let length = rest.length;
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}

function entryBlocks(entry: Entry): Buffer[] {
  const data = Buffer.from(entry.data ?? '');
  const padding = Buffer.alloc((512 - (data.length % 512)) % 512);
  return [header(entry, data.length), data, padding];
}

function header(entry: Entry, size: number): Buffer {
  const block = Buffer.alloc(512);
  Buffer.from(entry.name).copy(block, 0, 0, 100);
  block.write(octal(entry.mode ?? 0o644, 7), 100);
  block.write(octal(0, 7), 108);
  block.write(octal(0, 7), 116);
  block.write(octal(entry.claimedSize ?? size, 11), 124);
  block.write(octal(0, 11), 136);
  block.write('        ', 148);
  block.write(entry.type ?? '0', 156, 'latin1');
  block.write('ustar\x0000', 257, 'latin1');
  block.write(entry.prefix ?? '', 345);
  return withChecksum(block);
}

/** Writes the checksum of a header block that was changed. */
export function withChecksum(block: Buffer): Buffer {
  block.write('        ', 148);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${octal(sum, 6)}\0 `, 148, 'latin1');
  return block;
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0');
}
