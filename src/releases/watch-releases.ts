import { type Backend, createMatcher } from '../backends/index.ts';
import { enumType, type Method, type StatusCode } from '../codec/index.ts';
import { type CallContext, Code, GatewayError, invalidArgument } from '../protocol/index.ts';
import type { LiveReleases, WatchWish } from './live/live-releases.ts';
import { decodeRequest } from './request-fields.ts';
import { toStatusCodes } from './summarize-releases.ts';

const allCodes = [...enumType('hapi.release.Status.Code').numbers.keys()] as StatusCode[];

/**
 * The changes of a cluster's releases: from its records, or from its own gateway. Tiller tells of none.
 * @throws GatewayError FAILED_PRECONDITION with reason RECORDS_UNAVAILABLE where there are no records, INVALID_ARGUMENT for
 * a wrong filter, and as `LiveReleases.watch`
 */
export async function* watchReleases(
  live: LiveReleases,
  contract: Method,
  backend: Backend,
  request: Uint8Array,
  context: CallContext,
): AsyncGenerator<Uint8Array, void, undefined> {
  const wish = readWish(request);
  if (backend.kind === 'gateway') {
    yield* live.relay(() => backend.gateway.stream(contract, request, context), context);
  } else if (backend.records) {
    yield* live.watch(backend.records, wish, context);
  } else {
    throw new GatewayError(
      Code.FAILED_PRECONDITION,
      'the releases of this cluster are read from Tiller, which tells of no changes',
      { reason: 'RECORDS_UNAVAILABLE' },
    );
  }
}

function readWish(request: Uint8Array): WatchWish {
  const wanted = decodeRequest('appscode.swift.v2.WatchReleasesRequest', request);
  toStatusCodes(wanted.status_codes);
  const status_codes = wanted.all ? allCodes : (wanted.status_codes as StatusCode[]);
  try {
    const matches = createMatcher({ ...wanted, status_codes });
    return { matches, snapshot: wanted.snapshot, resumeAfter: wanted.resume_after };
  } catch (cause) {
    throw invalidArgument(`filter: ${GatewayError.from(cause).message}`, { cause });
  }
}
