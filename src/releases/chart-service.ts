import type { Charts } from '../charts/index.ts';
import {
  decodeMessage,
  encodeMessage,
  type MessageTypes,
  messageType,
  type Partially,
  rewriteMessage,
} from '../codec/index.ts';
import type { CallContext } from '../protocol/index.ts';

type Answer = (backend: unknown, request: Uint8Array, context: CallContext) => Promise<Uint8Array>;

/**
 * The methods about charts by name. Tiller knows nothing of repositories: none of these reaches it, nor needs one that
 * can be reached.
 */
export function chartAnswers(charts: Charts): Record<string, Answer> {
  return {
    SearchCharts: answer('SearchCharts', async (query, { signal }) => {
      const { charts: hits, ...page } = await charts.catalogue.search(query, signal);
      return { ...page, charts: [...hits] };
    }),
    ListChartVersions: answer('ListChartVersions', async (wanted, { signal }) => {
      const { charts: versions, ...page } = await charts.catalogue.versions(wanted, signal);
      return { ...page, charts: [...versions] };
    }),
    GetChart: async (_backend, wire, { signal, hold }) => {
      const wanted = decodeRequest('appscode.swift.v2.GetChartRequest', wire);
      return charts.catalogue.chart(wanted, signal, hold);
    },
  };
}

type Named<Suffix extends string> = {
  [Name in keyof MessageTypes]: Name extends `appscode.swift.v2.${infer Method}${Suffix}` ? Method : never;
}[keyof MessageTypes];
type MethodName = Named<'Request'> & Named<'Response'>;

/** Reads the request of a method and writes its reply. @throws GatewayError INVALID_ARGUMENT when the request is malformed */
function answer<Name extends MethodName>(
  method: Name,
  call: (
    request: MessageTypes[`appscode.swift.v2.${Name}Request`],
    context: CallContext,
  ) => Promise<Partially<MessageTypes[`appscode.swift.v2.${Name}Response`]>>,
): Answer {
  const request = `appscode.swift.v2.${method}Request` as const;
  return async (_backend, wire, context) => {
    const reply = await call(decodeRequest(request, wire), context);
    return encodeMessage(`appscode.swift.v2.${method}Response`, reply);
  };
}

/** What was checked is what is read. @throws GatewayError INVALID_ARGUMENT when the bytes are not such a message */
function decodeRequest<Name extends keyof MessageTypes>(name: Name, wire: Uint8Array): MessageTypes[Name] {
  return decodeMessage(name, rewriteMessage(messageType(name), wire));
}
