import type { Backend, TillerBackend } from '../backends/index.ts';
import type { Charts } from '../charts/index.ts';
import { encodeMessage, type Method, servicesOf } from '../codec/index.ts';
import type { CallContext } from '../protocol/index.ts';
import { AtomicWrites } from './atomic-writes.ts';
import { rollbackRelease, runReleaseTest, uninstallRelease } from './change-release.ts';
import { chartAnswers } from './chart-service.ts';
import { diffRelease, diffRevisions } from './diff-releases.ts';
import { installRelease, updateRelease } from './install-release.ts';
import { LiveReleases } from './live/live-releases.ts';
import { getHistory, getReleaseContent, getReleaseStatus } from './read-release.ts';
import { getReleaseHooks, getReleaseManifest, getReleaseNotes, getReleaseValues } from './release-parts.ts';
import { summarizeReleases } from './summarize-releases.ts';
import { askTiller, createToTiller } from './tiller-request.ts';
import { UnfinishedWrites } from './unfinished-writes.ts';
import { type ReceiveUpload, uploadReceiver } from './upload-service.ts';
import { watchReleases } from './watch-releases.ts';

/** Requests and replies are messages of `appscode.swift.v2` in wire format. */
type UnaryCall<B> = (backend: B, request: Uint8Array, context: CallContext) => Promise<Uint8Array>;
type StreamingCall<B> = (
  backend: B,
  request: Uint8Array,
  context: CallContext,
) => AsyncGenerator<Uint8Array, void, undefined>;

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
  const unary: Record<string, UnaryCall<TillerBackend>> = {
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
    GetVersion: getVersion,
    GetHistory: getHistory,
    InstallRelease: ({ tiller }, ...call) => installRelease({ tiller, charts, atomic }, ...call),
    UpdateRelease: ({ tiller }, ...call) => updateRelease({ tiller, charts, atomic }, ...call),
    RollbackRelease: rollbackRelease,
    UninstallRelease: uninstallRelease,
    ...chartAnswers(charts),
  };
  const streaming: Record<string, StreamingCall<TillerBackend>> = { RunReleaseTest: runReleaseTest };
  const services = servicesOf('appscode.swift.v2');
  const toMethod = (contract: Method): ReleaseMethod => {
    if (contract.name === 'WatchReleases') {
      return { contract, kind: 'streaming', call: (...call) => watchReleases(live, contract, ...call) };
    }
    if (contract.serverStreaming) {
      const ofTiller = answerOf(streaming, contract);
      const call: StreamingCall<Backend> = (backend, request, context) =>
        backend.kind === 'tiller'
          ? ofTiller(backend, request, context)
          : backend.gateway.stream(contract, request, context);
      return { contract, kind: 'streaming', call };
    }
    const ofTiller = answerOf(unary, contract);
    const call: UnaryCall<Backend> = (backend, request, context) =>
      backend.kind === 'tiller'
        ? ofTiller(backend, request, context)
        : backend.gateway.unary(contract, request, context);
    return { contract, kind: 'unary', call };
  };
  return {
    names: services.map(({ name }) => name),
    methods: services.flatMap(({ methods }) => methods.map(toMethod)),
    receiveUpload: uploadReceiver(charts.uploads),
  };
}

/** Whether a method's stream goes on for as long as its client likes. */
export function isLive({ serverStreaming, idempotency }: Method): boolean {
  return serverStreaming && idempotency === 'NO_SIDE_EFFECTS';
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

const toVersion = createToTiller(
  'appscode.swift.v2.GetVersionRequest',
  'hapi.services.tiller.GetVersionRequest',
);

const getVersion: UnaryCall<TillerBackend> = ({ tiller }, request, context) =>
  askTiller(tiller, 'GetVersion', toVersion(request), context);
