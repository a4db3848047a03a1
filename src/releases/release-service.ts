import type { TillerClient, TillerMethod } from '../backends/tiller/index.ts';
import type { Charts } from '../charts/index.ts';
import { type Method, service } from '../codec/index.ts';
import type { CallContext } from '../protocol/index.ts';
import { minTimeoutMs } from './call-timeout.ts';
import { getHistory } from './get-history.ts';
import { getReleaseContent } from './get-release-content.ts';
import { installRelease } from './install-release.ts';
import { RequestFields } from './request-fields.ts';
import { searchCharts } from './search-charts.ts';
import { summarizeReleases } from './summarize-releases.ts';
import { updateRelease } from './update-release.ts';

/** Requests and replies are messages of `appscode.swift.v2` in wire format. */
export type UnaryMethod = (request: Uint8Array, context: CallContext) => Promise<Uint8Array>;
export type StreamingMethod = (
  request: Uint8Array,
  context: CallContext,
) => AsyncGenerator<Uint8Array, void, undefined>;

/** One method of `appscode.swift.v2.ReleaseService`: its contract, and what answers it. */
export type ReleaseMethod = { readonly contract: Method } & (
  | { readonly kind: 'unary'; readonly call: UnaryMethod }
  | { readonly kind: 'streaming'; readonly call: StreamingMethod }
);

export interface ReleaseService {
  readonly name: string;
  readonly methods: readonly ReleaseMethod[];
}

/**
 * The release service, knowing neither HTTP nor gRPC. Every method of the contract has a function here.
 * @throws Error when the contract has a method that nothing answers
 */
export function createReleaseService(tiller: TillerClient, charts: Charts): ReleaseService {
  const unary: Record<string, UnaryMethod> = {
    SummarizeReleases: (request, context) => summarizeReleases(tiller, request, context),
    GetReleaseStatus: asItIs(tiller, 'GetReleaseStatus'),
    GetReleaseContent: (request, context) => getReleaseContent(tiller, request, context),
    GetVersion: asItIs(tiller, 'GetVersion'),
    GetHistory: (request, context) => getHistory(tiller, request, context),
    InstallRelease: (request, context) => installRelease(tiller, charts, request, context),
    UpdateRelease: (request, context) => updateRelease(tiller, charts, request, context),
    RollbackRelease: asItIs(tiller, 'RollbackRelease', 6),
    UninstallRelease: asItIs(tiller, 'UninstallRelease', 4),
    SearchCharts: (request, context) => searchCharts(charts, request, context),
  };
  const streaming: Record<string, StreamingMethod> = {
    RunReleaseTest: (request, context) =>
      tiller.stream('RunReleaseTest', request, context, minTimeoutMs(new RequestFields(request).integer(2))),
  };
  const { name, methods } = service('appscode.swift.v2.ReleaseService');
  return {
    name,
    methods: methods.map((contract): ReleaseMethod => {
      const answer = contract.serverStreaming ? streaming[contract.name] : unary[contract.name];
      if (!answer) throw new Error(`nothing answers ${contract.name}`);
      return contract.serverStreaming
        ? { contract, kind: 'streaming', call: answer as StreamingMethod }
        : { contract, kind: 'unary', call: answer as UnaryMethod };
    }),
  };
}

/**
 * A method whose request has the same numbers in Tiller's contract as in swift's: its bytes are passed on.
 * @param timeoutField number of the field that says how many seconds Tiller may take
 */
function asItIs(tiller: TillerClient, method: TillerMethod, timeoutField?: number): UnaryMethod {
  return (request, context) => {
    const timeout = timeoutField === undefined ? 0n : new RequestFields(request).integer(timeoutField);
    return tiller.unary(method, request, context, minTimeoutMs(timeout));
  };
}
