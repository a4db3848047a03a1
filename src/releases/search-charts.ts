import type { Charts } from '../charts/index.ts';
import { decodeMessage, encodeMessage, messageType, rewriteMessage } from '../codec/index.ts';
import type { CallContext } from '../protocol/index.ts';

const request = 'appscode.swift.v2.SearchChartsRequest';

/** What the configured repositories offer. Tiller knows nothing of repositories: this never reaches it. */
export async function searchCharts(charts: Charts, swift: Uint8Array, context: CallContext): Promise<Buffer> {
  const query = decodeMessage(request, rewriteMessage(messageType(request), swift));
  const { count, next, total, charts: found } = await charts.search(query, context.signal);
  return encodeMessage('appscode.swift.v2.SearchChartsResponse', { count, next, total, charts: [...found] });
}
