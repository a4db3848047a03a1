import { messageType, wireToJson } from '../codec/index.ts';
import { invalidArgument } from '../protocol/index.ts';

const requestType = messageType('appscode.swift.v2.SummarizeReleasesRequest');
const responseType = messageType('appscode.swift.v2.SummarizeReleasesResponse');

/** A release as the list shows it, as far as sorting looks at it. */
export interface Summary {
  readonly name?: string;
  readonly info?: { readonly last_deployed?: string };
  readonly chart_metadata?: { readonly name?: string };
  readonly [field: string]: unknown;
}

/** One cluster's part of the list. */
export interface ReleasePage {
  readonly releases: readonly Summary[];
  /** Releases on all pages of the cluster. */
  readonly total: number;
}

/** The filters of a list over many clusters. */
export interface ReleaseQuery {
  /** How to put the clusters' releases together: sorted, and no more than the limit. */
  merge<S extends Summary & { readonly cluster: string }>(releases: S[]): S[];
}

/**
 * Reads the filters of the query, which are those of one cluster's list. Each cluster is asked for the whole limit, since
 * all of the first releases may be in one.
 * @param request of SummarizeReleases, in wire format
 * @throws GatewayError INVALID_ARGUMENT for an `offset`, which is a release of one cluster
 */
export function readReleaseQuery(request: Uint8Array): ReleaseQuery {
  const wanted = JSON.parse(wireToJson(requestType, request).toString()) as {
    readonly limit?: string;
    readonly offset?: string;
    readonly sort_by?: string;
    readonly sort_order?: string;
  };
  if (wanted.offset !== undefined) {
    throw invalidArgument('offset: a list over many clusters has no pages; raise limit or ask one cluster');
  }
  const limit = Number(wanted.limit ?? 0);
  if (limit < 0) throw invalidArgument(`limit: ${wanted.limit} is negative`);
  const compare = comparator(wanted.sort_by ?? 'NAME', wanted.sort_order === 'DESC');
  return {
    merge: releases => {
      const sorted = releases.sort(compare);
      return limit > 0 ? sorted.slice(0, limit) : sorted;
    },
  };
}

/** @param reply of SummarizeReleases, in wire format */
export function readReleasePage(reply: Uint8Array): ReleasePage {
  const { releases = [], total } = JSON.parse(wireToJson(responseType, reply).toString()) as {
    readonly total?: string;
    readonly releases?: readonly Summary[];
  };
  return { releases, total: Number(total ?? releases.length) };
}

/** As Tiller sorts, by bytes; equal ones by cluster, so that the order is always the same. */
function comparator(sortBy: string, descending: boolean) {
  const keyOf =
    sortBy === 'LAST_RELEASED'
      ? deployedKey
      : sortBy === 'CHART_NAME'
        ? chartKey
        : (release: Summary) => release.name ?? '';
  return (a: Summary & { cluster: string }, b: Summary & { cluster: string }): number => {
    const byKey = order(keyOf(a), keyOf(b)) * (descending ? -1 : 1);
    return byKey || order(a.name ?? '', b.name ?? '') || order(a.cluster, b.cluster);
  };
}

/** RFC 3339 with a varying number of digits behind the point, made to sort as text. */
function deployedKey({ info }: Summary): string {
  const [, seconds = '', digits = ''] = /^([^.Z]*)(?:\.(\d+))?Z?$/.exec(info?.last_deployed ?? '') ?? [];
  return `${seconds}.${digits.padEnd(9, '0')}`;
}

function chartKey({ chart_metadata: metadata }: Summary): string {
  return metadata?.name ?? '';
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
