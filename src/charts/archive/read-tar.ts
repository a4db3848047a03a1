import { invalidArgument } from '../../protocol/index.ts';

/*
 * Tar as Go's archive/tar reads it. Not by tar-stream (3.2 was tried against the tests beside this file): names of PAX
 * headers do not stay the bytes they are, checksums of signed bytes are refused, a slash does not make an old entry a
 * folder, links have content, what follows the end is read, and sparse files and broken PAX headers are taken without a
 * word. It also copies every entry through a stream.
 */

/** Everything in a tar archive comes in blocks of this size. */
const blockSize = 512;

/** The one-letter types that matter here; every other one is a file, as Go's archive/tar treats it. */
export const TarType = {
  HARD_LINK: '1',
  SYMBOLIC_LINK: '2',
  CHARACTER_DEVICE: '3',
  BLOCK_DEVICE: '4',
  FOLDER: '5',
  FIFO: '6',
  PAX_NEXT: 'x',
  PAX_GLOBAL: 'g',
  GNU_LONG_NAME: 'L',
  GNU_LONG_LINK: 'K',
  GNU_SPARSE: 'S',
} as const;

interface TarHeader {
  /** The name's bytes; what they mean is the archive's secret. */
  readonly name: Buffer;
  readonly size: number;
  readonly type: string;
  /** Written before there were types; a file, or a folder when its name ends in a slash. */
  readonly isUntyped: boolean;
  /** The folder bit of the mode, which counts beside the type. */
  readonly isFolderByMode: boolean;
}

/** Field: offset and length. */
const fields = {
  name: [0, 100],
  mode: [100, 8],
  size: [124, 12],
  checksum: [148, 8],
  type: [156, 1],
  magic: [257, 8],
  prefix: [345, 155],
  starPrefix: [345, 131],
  starTrailer: [508, 4],
} as const;

const unixTypeMask = 0o170000;
const unixFolder = 0o040000;

/**
 * Reads one header block (POSIX ustar, GNU, STAR and the old V7 form).
 * @throws GatewayError INVALID_ARGUMENT when it is none
 */
function parseTarHeader(block: Buffer): TarHeader {
  checkChecksum(block);
  const mode = readNumber(block, fields.mode);
  const type = String.fromCharCode(block[fields.type[0]] ?? 0);
  return {
    name: readName(block),
    size: readNumber(block, fields.size),
    type: type === '\0' ? '0' : type,
    isUntyped: type === '\0',
    isFolderByMode: (mode & unixTypeMask) === unixFolder,
  };
}

/** The checksum is over the block with the checksum's own field as spaces; old programs summed signed bytes. */
function checkChecksum(block: Buffer): void {
  const [start, length] = fields.checksum;
  let unsigned = 0;
  let signed = 0;
  for (let index = 0; index < blockSize; index++) {
    const byte = index >= start && index < start + length ? 0x20 : (block[index] ?? 0);
    unsigned += byte;
    signed += byte > 127 ? byte - 256 : byte;
  }
  const stated = readNumber(block, fields.checksum);
  if (stated !== unsigned && stated !== signed)
    throw invalidArgument('not a tar archive: wrong header checksum');
}

/** The name, with the prefix that the ustar and STAR forms keep apart. */
function readName(block: Buffer): Buffer {
  const name = upToNul(slice(block, fields.name));
  if (!slice(block, fields.magic).toString('latin1').startsWith('ustar\0')) return name;
  const isStar = slice(block, fields.starTrailer).toString('latin1') === 'tar\0';
  const prefix = upToNul(slice(block, isStar ? fields.starPrefix : fields.prefix));
  return prefix.length > 0 ? Buffer.concat([prefix, Buffer.from('/'), name]) : name;
}

function slice(block: Buffer, [start, length]: readonly [number, number]): Buffer {
  return block.subarray(start, start + length);
}

function upToNul(bytes: Buffer): Buffer {
  const end = bytes.indexOf(0);
  return end < 0 ? bytes : bytes.subarray(0, end);
}

/** Octal digits, or big-endian binary where the first bit is set (GNU, for sizes from 8 GiB). */
function readNumber(block: Buffer, field: readonly [number, number]): number {
  const bytes = slice(block, field);
  const first = bytes[0] ?? 0;
  if (first & 0x80) {
    let value = first & 0x7f;
    if (value & 0x40) throw invalidArgument('not a tar archive: negative number in a header');
    for (const byte of bytes.subarray(1)) value = value * 256 + byte;
    return Number.isSafeInteger(value) ? value : Number.MAX_SAFE_INTEGER;
  }
  const text = bytes.toString('latin1').replace(/^[ \0]+|[ \0]+$/g, '');
  const digits = text.split('\0', 1)[0] ?? '';
  if (!/^[0-7]*$/.test(digits))
    throw invalidArgument('not a tar archive: a number in a header cannot be read');
  return digits === '' ? 0 : Number.parseInt(digits, 8);
}

export interface TarEntry {
  /** The name as it stands in the archive, byte for byte. */
  readonly name: Buffer;
  /** A view into the archive; empty for links and devices. */
  readonly data: Buffer;
  readonly type: string;
  readonly isFolder: boolean;
}

/** What extended headers say about the entry behind them. */
interface Overrides {
  name?: Buffer;
  size?: number;
}

/** A name in an extended header is not longer; names of charts' files are far shorter. */
const maxExtendedHeader = 1024 * 1024;

const withoutContent: readonly string[] = [
  TarType.HARD_LINK,
  TarType.SYMBOLIC_LINK,
  TarType.CHARACTER_DEVICE,
  TarType.BLOCK_DEVICE,
  TarType.FOLDER,
  TarType.FIFO,
];

/**
 * Goes through an unpacked tar archive as Go's archive/tar does, without copying contents. Ends at two zero blocks or,
 * as Go allows, where the archive ends between two entries; what stands behind is not looked at.
 * @throws GatewayError INVALID_ARGUMENT when it is no tar archive, or cut off
 */
export function* readTar(archive: Buffer): Generator<TarEntry> {
  const reader = new BlockReader(archive);
  let overrides: Overrides = {};
  for (let block = reader.nextHeader(); block; block = reader.nextHeader()) {
    const header = parseTarHeader(block);
    switch (header.type) {
      case TarType.PAX_NEXT:
        overrides = { ...overrides, ...paxOverrides(reader.content(boundedSize(header))) };
        continue;
      case TarType.GNU_LONG_NAME:
        overrides = { ...overrides, name: upToNul(reader.content(boundedSize(header))) };
        continue;
      case TarType.GNU_LONG_LINK:
        reader.content(boundedSize(header));
        continue;
      case TarType.GNU_SPARSE:
        throw invalidArgument('the archive has a sparse file, which charts may not have');
    }
    yield toEntry(header, overrides, reader);
    overrides = {};
  }
}

function toEntry(header: TarHeader, overrides: Overrides, reader: BlockReader): TarEntry {
  const { type, isUntyped, isFolderByMode } = header;
  const { name = header.name, size = header.size } = overrides;
  // before there were types, a slash at the end of the name said that it is a folder
  const isOldFolder = isUntyped && name.at(-1) === 0x2f;
  const isFolder = type === TarType.FOLDER || isFolderByMode || isOldFolder;
  return { name, type, isFolder, data: reader.content(withoutContent.includes(type) ? 0 : size) };
}

function boundedSize(header: TarHeader): number {
  if (header.size > maxExtendedHeader)
    throw invalidArgument('not a tar archive: an extended header is too large');
  return header.size;
}

function paxOverrides(content: Buffer): Overrides {
  const records = parsePaxRecords(content);
  if ([...records.keys()].some(keyword => keyword.startsWith('GNU.sparse.'))) {
    throw invalidArgument('the archive has a sparse file, which charts may not have');
  }
  const path = records.get('path');
  const size = records.get('size')?.toString('latin1') ?? '';
  if (size !== '' && !/^\d{1,15}$/.test(size)) {
    throw invalidArgument('not a tar archive: an extended header cannot be read');
  }
  if (path?.includes(0)) throw invalidArgument('not a tar archive: a name with a NUL character');
  return { ...(path?.length ? { name: path } : {}), ...(size === '' ? {} : { size: Number(size) }) };
}

const zeroBlock = Buffer.alloc(blockSize);

class BlockReader {
  readonly #archive: Buffer;
  #position = 0;

  constructor(archive: Buffer) {
    this.#archive = archive;
  }

  /** The next header block; undefined at the end of the archive. */
  nextHeader(): Buffer | undefined {
    const block = this.#block();
    if (!block?.equals(zeroBlock)) return block;
    const second = this.#block();
    if (second && !second.equals(zeroBlock))
      throw invalidArgument('not a tar archive: data behind a zero block');
    return undefined;
  }

  /** Content of an entry, and past the padding behind it. The very last padding may be missing. */
  content(size: number): Buffer {
    const end = this.#position + size;
    if (end > this.#archive.length) throw invalidArgument('the tar archive is cut off');
    const data = this.#archive.subarray(this.#position, end);
    this.#position = Math.ceil(end / blockSize) * blockSize;
    return data;
  }

  #block(): Buffer | undefined {
    const remaining = this.#archive.length - this.#position;
    if (remaining <= 0) return undefined;
    if (remaining < blockSize) throw invalidArgument('the tar archive is cut off');
    const block = this.#archive.subarray(this.#position, this.#position + blockSize);
    this.#position += blockSize;
    return block;
  }
}

/**
 * Reads the records of a PAX extended header: `LENGTH KEYWORD=VALUE\n`, LENGTH in decimal and over the whole record.
 * Values stay bytes, since a path need not be text. A later record takes the place of an earlier one.
 * @throws GatewayError INVALID_ARGUMENT when a record cannot be read
 */
function parsePaxRecords(data: Buffer): Map<string, Buffer> {
  const records = new Map<string, Buffer>();
  let start = 0;
  while (start < data.length) {
    const space = data.indexOf(0x20, start);
    const digits = space < 0 ? '' : data.toString('latin1', start, Math.min(space, start + 12));
    const end = start + (/^\d{1,10}$/.test(digits) ? Number(digits) : 0);
    const equals = data.indexOf(0x3d, space);
    if (end > data.length || equals < 0 || equals >= end || data[end - 1] !== 0x0a) {
      throw invalidArgument('not a tar archive: an extended header cannot be read');
    }
    records.set(data.toString('latin1', space + 1, equals), data.subarray(equals + 1, end - 1));
    start = end;
  }
  return records;
}
