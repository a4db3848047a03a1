import type { TillerClient } from '../backends/index.ts';
import { WireWriter } from '../codec/index.ts';
import { type CallContext, invalidArgument } from '../protocol/index.ts';
import { RequestFields } from './request-fields.ts';

const name = 1;
const max = 2;

/** What the Helm client asks for; Tiller takes 0 for "none". */
const defaultMax = 256n;

/** Revisions of a release, newest first. */
export async function getHistory(
  tiller: TillerClient,
  swift: Uint8Array,
  context: CallContext,
): Promise<Buffer> {
  const fields = new RequestFields(swift);
  const wanted = fields.integer(max);
  if (wanted < 0n) throw invalidArgument(`max: ${wanted} is negative`);
  const request = new WireWriter().stringField(name, fields.string(name)).intField(max, wanted || defaultMax);
  return tiller.unary('GetHistory', request.finish(), context);
}
