import { invalidArgument } from '../../protocol/index.ts';

/** Everything in a tar archive comes in blocks of this size. */
export const blockSize = 512;

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

export interface TarHeader {
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
export function parseTarHeader(block: Buffer): TarHeader {
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
  const name = readText(block, fields.name);
  const magic = block.toString('latin1', fields.magic[0], fields.magic[0] + fields.magic[1]);
  if (!magic.startsWith('ustar\0')) return name;
  const isStar = slice(block, fields.starTrailer).toString('latin1') === 'tar\0';
  const prefix = readText(block, isStar ? fields.starPrefix : fields.prefix);
  return prefix.length > 0 ? Buffer.concat([prefix, Buffer.from('/'), name]) : name;
}

function slice(block: Buffer, [start, length]: readonly [number, number]): Buffer {
  return block.subarray(start, start + length);
}

/** Text up to the first NUL. */
function readText(block: Buffer, field: readonly [number, number]): Buffer {
  const bytes = slice(block, field);
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
