import type { Backend, TillerBackend } from '../backends/index.ts';
import type { Charts } from '../charts/index.ts';
import { encodeMessage, isReadOnly, type Method, servicesOf } from '../codec/index.ts';
import type { CallContext } from '../protocol/index.ts';
import { AtomicWrites } from './atomic-writes.ts';
import {
  installRelease,
  rollbackRelease,
  runReleaseTest,
  uninstallRelease,
  updateRelease,
} from './change-release.ts';
import { chartCalls, type ReceiveUpload, uploadReceiver } from './chart-service.ts';
import { diffRelease, diffRevisions } from './diff-releases.ts';
import { LiveReleases } from './live/live-releases.ts';
import {
  getHistory,
  getReleaseContent,
  getReleaseHooks,
  getReleaseManifest,
  getReleaseNotes,
  getReleaseStatus,
  getReleaseValues,
} from './read-release.ts';
import { SwiftRequest } from './request-fields.ts';
import { summarizeReleases } from './summarize-releases.ts';
import type { StreamingCall, UnaryCall } from './tiller-request.ts';
import { TillerSession } from './tiller-session.ts';
import { UnfinishedWrites } from './unfinished-writes.ts';
import { watchReleases } from './watch-releases.ts';

/** One method of the package `appscode.swift.v2`: its contract, and the function that answers it for any backend. */
export type ReleaseMethod = { readonly contract: Method } & (
  | { readonly kind: 'unary'; readonly call: UnaryCall<Backend> }
  | { readonly kind: 'streaming'; readonly call: StreamingCall<Backend> }
);

/** What answers the services of the contract. */
export interface ReleaseService {
  /** Full names of the services. */
  readonly names: readonly string[];
  /** The methods of all of them; their names differ. */
  readonly methods: readonly ReleaseMethod[];
  /** UploadChart, for an archive that is not in memory. */
  readonly receiveUpload: ReceiveUpload;
}

export interface ReleaseServiceOptions {
  /** Whether comparisons show the data of Secrets. */
  readonly showSecrets?: boolean;
  /** What GetEnvironment says beside what it sees itself. */
  readonly environment?: Readonly<Record<string, string>>;
}

/**
 * The services of the contract, for all clusters, knowing neither HTTP nor gRPC. A cluster's own gateway is asked for the method as
 * it is; with Tiller, a function here makes the method of Tiller's calls.
 * @throws Error when the contract has a method that nothing answers
 */
export function createReleaseService(
  charts: Charts,
  live = new LiveReleases({ maxStreams: 1000, heartbeatMs: 15_000, backlogBytes: 16 * 1024 * 1024 }),
  atomic = new AtomicWrites(new UnfinishedWrites()),
  { showSecrets = false, environment = {} }: ReleaseServiceOptions = {},
): ReleaseService {
  const calls: Record<string, UnaryCall> = {
    SummarizeReleases: summarizeReleases,
    GetReleaseStatus: getReleaseStatus,
    GetReleaseContent: getReleaseContent,
    GetReleaseManifest: getReleaseManifest,
    GetReleaseHooks: getReleaseHooks,
    GetReleaseNotes: getReleaseNotes,
    GetReleaseValues: getReleaseValues,
    DiffRevisions: (...call) => diffRevisions(...call, showSecrets),
    DiffRelease: (backend, ...call) => diffRelease(backend, charts, ...call, showSecrets),
    GetEnvironment: backend => describeEnvironment(backend, charts, environment),
    GetVersion: ({ tiller }, wire, context) => {
      const request = new SwiftRequest('GetVersion', wire);
      return new TillerSession(tiller, context).ask('GetVersion', request.toTiller('GetVersion'));
    },
    GetHistory: getHistory,
    InstallRelease: ({ tiller }, ...call) => installRelease({ tiller, charts, atomic }, ...call),
    UpdateRelease: ({ tiller }, ...call) => updateRelease({ tiller, charts, atomic }, ...call),
    RollbackRelease: rollbackRelease,
    UninstallRelease: uninstallRelease,
    ...chartCalls(charts),
  };
  const streams: Record<string, (contract: Method) => StreamingCall<Backend>> = {
    WatchReleases:
      contract =>
      (...call) =>
        watchReleases(live, contract, ...call),
    RunReleaseTest: contract => (backend, request, context) =>
      backend.kind === 'tiller'
        ? runReleaseTest(backend, request, context)
        : backend.gateway.stream(contract, request, context),
  };
  const toMethod = (contract: Method): ReleaseMethod => {
    if (contract.serverStreaming)
      return { contract, kind: 'streaming', call: answerOf(streams, contract)(contract) };
    const ofTiller = answerOf(calls, contract);
    const call: UnaryCall<Backend> = (backend, request, context) =>
      backend.kind === 'tiller'
        ? ofTiller(backend, request, context)
        : backend.gateway.unary(contract, request, context);
    return { contract, kind: 'unary', call };
  };
  const services = servicesOf('appscode.swift.v2');
  return {
    names: services.map(({ name }) => name),
    methods: services.flatMap(({ methods }) => methods.map(toMethod)),
    receiveUpload: uploadReceiver(charts.uploads),
  };
}

/** Whether a method's stream goes on for as long as its client likes. */
export function isLive(method: Method): boolean {
  return method.serverStreaming && isReadOnly(method);
}

/** Calls a method that has one reply, by its name. */
export function callUnary(
  { methods }: ReleaseService,
  name: string,
  backend: Backend,
  request: Uint8Array,
  context: CallContext,
): Promise<Uint8Array> {
  const method = methods.find(({ contract }) => contract.name === name);
  if (method?.kind !== 'unary') throw new Error(`the contract has no method ${name} with one reply`);
  return method.call(backend, request, context);
}

function answerOf<T>(answers: Readonly<Record<string, T>>, { name }: Method): T {
  const answer = answers[name];
  if (!answer) throw new Error(`nothing answers ${name}`);
  return answer;
}

/** No secrets, and nothing of the machine: what a client has to know to find its releases and charts. */
async function describeEnvironment(
  { records }: TillerBackend,
  charts: Charts,
  given: Readonly<Record<string, string>>,
): Promise<Uint8Array> {
  const repositories = await charts.repositories.list();
  const report = records?.report();
  const environment = {
    ...given,
    HELM_NAMESPACE: 'default',
    HELM_REPOSITORIES: repositories.map(({ name }) => name).join(','),
    TILLER_GATEWAY_READS: report?.usable ? 'records' : 'tiller',
    TILLER_GATEWAY_RECORDS: report?.storage.join(',') ?? '',
  };
  return encodeMessage('appscode.swift.v2.GetEnvironmentResponse', { environment });
}
