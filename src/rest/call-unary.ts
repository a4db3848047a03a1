import { type CallContext, Code } from '../protocol/index.ts';
import { swiftJson } from '../releases/index.ts';
import type { Match } from './bind-request.ts';
import type { Answered, Exchange } from './exchange.ts';
import { prettyJson } from './pretty-json.ts';
import { sendContent } from './send.ts';

/** Calls a method and answers with its reply as JSON. */
export async function callUnary(
  exchange: Exchange,
  match: Match,
  call: (message: Uint8Array, context: CallContext) => Promise<Uint8Array>,
  message: Uint8Array,
  context: CallContext,
): Promise<Answered> {
  const json = swiftJson(match.route.method.contract.response, await call(message, context));
  const bytes = await sendContent(exchange.request, exchange.response, {
    status: 200,
    type: 'application/json',
    body: exchange.pretty ? prettyJson(json) : json,
  });
  return { code: Code.OK, bytes };
}
