import type { TillerClient } from '../backends/index.ts';
import { enumType, type WireField, WireReader, WireType, WireWriter, wireFields } from '../codec/index.ts';
import { type CallContext, invalidArgument } from '../protocol/index.ts';
import { RequestFields } from './request-fields.ts';

/** Field numbers of swift's SummarizeReleasesRequest. Those up to 5 and 7 are Tiller's as well. */
const request = { limit: 1, statusCodes: 6, all: 8, shared: [1, 2, 3, 4, 5, 7] } as const;

/** Field numbers of hapi.release.Release. */
const release = { name: 1, info: 2, chart: 3, config: 4, version: 7, namespace: 8 } as const;
const chartMetadata = 1;

/** Field numbers of swift's ReleaseSummary and of its answer, which are Tiller's ListReleasesResponse's too. */
const summary = { name: 1, info: 2, chartMetadata: 3, config: 4, version: 5, namespace: 6 } as const;
const response = { count: 1, next: 2, total: 3, releases: 4 } as const;

const statusCodes = enumType('hapi.release.Status.Code').numbers;

/**
 * The list, without the contents of charts. Tiller sends every release whole; of its bytes only the few that a summary
 * needs are copied, the rest (templates, files, manifest, hooks) is skipped unread.
 * @throws GatewayError INVALID_ARGUMENT for a negative limit, which would take Tiller down, or an unknown status code
 */
export async function summarizeReleases(
  tiller: TillerClient,
  swift: Uint8Array,
  context: CallContext,
): Promise<Buffer> {
  const page = new PageWriter();
  for await (const chunk of tiller.stream('ListReleases', toTillerRequest(swift), context)) page.add(chunk);
  return page.finish();
}

/**
 * Looks at the `limit` of a list's request, swift's or Tiller's: Tiller 2.17.0 panics on a negative one.
 * @throws GatewayError INVALID_ARGUMENT
 */
export function checkLimit(listRequest: Uint8Array): void {
  const limit = new RequestFields(listRequest).integer(request.limit);
  if (limit < 0n) throw invalidArgument(`limit: ${limit} is negative`);
}

function toTillerRequest(swift: Uint8Array): Buffer {
  checkLimit(swift);
  const fields = new RequestFields(swift);
  const writer = new WireWriter();
  for (const number of request.shared) for (const raw of fields.raw(number)) writer.raw(raw);
  for (const code of wantedCodes(fields)) writer.tag(request.statusCodes, WireType.VARINT).uint32(code);
  return writer.finish();
}

function wantedCodes(fields: RequestFields): number[] {
  const codes = fields.strings(request.statusCodes).map((name, index) => {
    const code = statusCodes.get(name);
    if (code !== undefined) return code;
    throw invalidArgument(
      `status_codes[${index}]: ${JSON.stringify(name.slice(0, 40))} is none of ${[...statusCodes.keys()].join(', ')}`,
    );
  });
  return fields.boolean(request.all) ? [...statusCodes.values()] : codes;
}

/** Collects the chunks of Tiller's answer into one of swift's. `count`, `next` and `total` repeat in every chunk. */
class PageWriter {
  private readonly releases = new WireWriter(4096);
  private readonly ends = new Map<number, Buffer>();

  add(chunk: Buffer): void {
    for (const field of wireFields(chunk)) {
      if (field.number !== response.releases) {
        this.ends.set(field.number, Buffer.from(chunk.subarray(field.start, field.end)));
      } else if (field.wireType === WireType.BYTES) {
        const mark = this.releases.tag(response.releases, WireType.BYTES).open();
        writeSummary(this.releases, chunk, field);
        this.releases.close(mark);
      }
    }
  }

  finish(): Buffer {
    const numbers = [response.count, response.next, response.total];
    const ends = numbers.map(number => this.ends.get(number) ?? Buffer.alloc(0));
    return Buffer.concat([...ends, this.releases.finish()]);
  }
}

function writeSummary(out: WireWriter, bytes: Buffer, from: WireField): void {
  for (const field of wireFields(bytes, from.valueStart, from.end)) {
    const content = bytes.subarray(field.valueStart, field.end);
    const isBytes = field.wireType === WireType.BYTES;
    if (field.number === release.version && !isBytes) {
      out.intField(
        summary.version,
        BigInt.asIntN(64, new WireReader(bytes, field.valueStart, field.end).uint64()),
      );
    } else if (isBytes && field.number === release.chart) {
      writeChartMetadata(out, bytes, field);
    } else if (isBytes) {
      const target = sameContent.get(field.number);
      if (target) out.bytesField(target, content);
    }
  }
}

/** Which of a release's fields stand in a summary as they are. */
const sameContent = new Map<number, number>([
  [release.name, summary.name],
  [release.info, summary.info],
  [release.config, summary.config],
  [release.namespace, summary.namespace],
]);

function writeChartMetadata(out: WireWriter, bytes: Buffer, chart: WireField): void {
  for (const field of wireFields(bytes, chart.valueStart, chart.end)) {
    if (field.number === chartMetadata && field.wireType === WireType.BYTES) {
      out.bytesField(summary.chartMetadata, bytes.subarray(field.valueStart, field.end));
    }
  }
}
