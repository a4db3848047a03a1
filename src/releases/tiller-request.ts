import type { TillerBackend } from '../backends/index.ts';
import { rewriteMessage, service } from '../codec/index.ts';
import {
  type CallContext,
  Code,
  GatewayError,
  invalidArgument,
  minTimeoutMs,
  whereItFits,
} from '../protocol/index.ts';
import { RequestFields } from './request-fields.ts';

/** What answers a method. Requests and replies are messages of `appscode.swift.v2` in wire format. */
export type UnaryCall<B = TillerBackend> = (
  backend: B,
  request: Uint8Array,
  context: CallContext,
) => Promise<Uint8Array>;
export type StreamingCall<B = TillerBackend> = (
  backend: B,
  request: Uint8Array,
  context: CallContext,
) => AsyncGenerator<Uint8Array, void, undefined>;

const tillerMethods = new Map(
  service('hapi.services.tiller.ReleaseService').methods.map(method => [method.name, method]),
);

/** Checks that reject requests known to crash Tiller 2.17.0, by method. They look at what is sent. */
const checks: Readonly<Record<string, (request: Uint8Array) => void>> = {
  ListReleases: checkLimit,
  InstallRelease: request =>
    checkChart(new RequestFields('hapi.services.tiller.InstallReleaseRequest', request).message('chart')),
  UpdateRelease: checkUpdate,
};

/**
 * The bytes that may be sent to Tiller for a request of its own service: written anew from what was understood of it,
 * without unknown fields, and checked for what would crash Tiller. Every request goes through here, by whichever door
 * it came (REST, swift's gRPC service, Tiller's own service passed through). May run in a thread.
 * @throws GatewayError INVALID_ARGUMENT for what cannot be read or would crash Tiller; UNIMPLEMENTED for another method
 */
export function checkTillerRequest(method: string, request: Uint8Array): Buffer {
  const contract = tillerMethods.get(method);
  if (!contract) throw new GatewayError(Code.UNIMPLEMENTED, `Tiller has no method ${method.slice(0, 100)}`);
  const understood = rewriteMessage(contract.request, request);
  checks[method]?.(understood);
  return understood;
}

const checkWhereItFits = whereItFits(import.meta.url, checkTillerRequest);

/** As `checkTillerRequest`, in a thread where the request is large. */
export function toCheckedRequest(
  method: string,
  request: Uint8Array,
  context: CallContext,
): Buffer | Promise<Buffer> {
  return checkWhereItFits({ ...context, what: 'the request', bytes: request.length }, method, request);
}

/** The time that a call must be given at least, in milliseconds, for what its request lets Tiller wait. */
export function tillerTimeMs(method: string, request: Uint8Array): number {
  const type = tillerMethods.get(method)?.request;
  if (!type?.byName.has('timeout')) return 0;
  const fields = new RequestFields(type.name as 'hapi.services.tiller.TestReleaseRequest', request);
  return minTimeoutMs(fields.integer('timeout'));
}

function checkLimit(request: Uint8Array): void {
  const limit = new RequestFields('hapi.services.tiller.ListReleasesRequest', request).integer('limit');
  if (limit < 0n) throw invalidArgument(`limit: ${limit} is negative`);
}

function checkUpdate(request: Uint8Array): void {
  const fields = new RequestFields('hapi.services.tiller.UpdateReleaseRequest', request);
  checkChart(fields.message('chart'));
  if (fields.boolean('reuse_values') && !fields.boolean('reset_values') && !fields.has('values'))
    throw invalidArgument('values: must be there, even if empty, when reuse_values is set');
}

/** A chart, or a dependency at any depth, without metadata. */
function checkChart(chart: Uint8Array | undefined, path = 'chart'): void {
  if (!chart) return;
  const fields = new RequestFields('hapi.chart.Chart', chart);
  if (!fields.has('metadata')) throw invalidArgument(`${path}.metadata: is missing`);
  for (const [index, dependency] of fields.messages('dependencies').entries())
    checkChart(dependency, `${path}.dependencies[${index}]`);
}
