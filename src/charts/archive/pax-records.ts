import { invalidArgument } from '../../protocol/index.ts';

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
