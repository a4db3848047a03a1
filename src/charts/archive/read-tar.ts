import { invalidArgument } from '../../protocol/index.ts';
import { blockSize, parseTarHeader, type TarHeader, TarType } from './tar-header.ts';

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
 * Ours, because tar-stream decodes the names of extended headers with U+FFFD for what is not UTF-8, drops unknown types
 * that Helm takes for files, and copies every entry through a stream.
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
  const name = overrides.name ?? header.name;
  const size = withoutContent.includes(header.type) ? 0 : (overrides.size ?? header.size);
  const isFolder = header.type === TarType.FOLDER || header.isFolderByMode || isOldFolder(header, name);
  return { name, type: header.type, isFolder, data: reader.content(size) };
}

/** Before there were types, a slash at the end of the name said that it is a folder. */
function isOldFolder(header: TarHeader, name: Buffer): boolean {
  return header.isUntyped && name.at(-1) === 0x2f;
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

function upToNul(bytes: Buffer): Buffer {
  const end = bytes.indexOf(0);
  return end < 0 ? bytes : bytes.subarray(0, end);
}

/** Hands out the archive block by block. */
class BlockReader {
  readonly #archive: Buffer;
  #position = 0;

  constructor(archive: Buffer) {
    this.#archive = archive;
  }

  /** The next header block; undefined at the end of the archive. */
  nextHeader(): Buffer | undefined {
    const block = this.#block();
    if (!block || !isZero(block)) return block;
    const second = this.#block();
    if (second && !isZero(second)) throw invalidArgument('not a tar archive: data behind a zero block');
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

const zeroBlock = Buffer.alloc(blockSize);

function isZero(block: Buffer): boolean {
  return block.equals(zeroBlock);
}

/**
 * Reads the records of a PAX extended header: `LENGTH KEYWORD=VALUE\n`, LENGTH in decimal and over the whole record.
 * Values stay bytes, since a path need not be text. A later record takes the place of an earlier one.
 * @throws GatewayError INVALID_ARGUMENT when a record cannot be read
 */
export function parsePaxRecords(data: Buffer): Map<string, Buffer> {
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
