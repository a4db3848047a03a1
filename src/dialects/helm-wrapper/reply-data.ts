import {
  decodeMessage,
  type Hook,
  messageType,
  type Release,
  readStruct,
  type StatusCode,
  type SwiftReleaseSummary,
  wireFields,
} from '../../codec/index.ts';
import { whereItFits } from '../../protocol/index.ts';
import { compareUtf8, parseYaml, writeYaml, yamlToJson } from '../../yaml/index.ts';
import { toGoTime, toRfc3339 } from './go-texts.ts';
import type { OptionsOf, OptionTables } from './read-options.ts';

/*
 * Releases and charts as helm-wrapper shows them, in Helm 3's words. All of it makes JSON text of a reply in wire format,
 * and may run in a thread.
 */

const statuses: Readonly<Record<StatusCode, string>> = {
  UNKNOWN: 'unknown',
  DEPLOYED: 'deployed',
  DELETED: 'uninstalled',
  SUPERSEDED: 'superseded',
  FAILED: 'failed',
  DELETING: 'uninstalling',
  PENDING_INSTALL: 'pending-install',
  PENDING_UPGRADE: 'pending-upgrade',
  PENDING_ROLLBACK: 'pending-rollback',
};

type Shown = Pick<SwiftReleaseSummary, 'name' | 'namespace' | 'version' | 'info' | 'chart_metadata'>;

/** An element of the list. */
function toElement({ name, namespace, version, info, chart_metadata: metadata }: Shown) {
  return {
    name,
    namespace,
    revision: String(version),
    updated: toGoTime(info?.last_deployed),
    status: statusOf(info),
    chart: metadata?.name ?? '',
    chart_version: metadata?.version ?? '',
    app_version: metadata?.appVersion ?? '',
  };
}

function statusOf(info: Release['info']): string {
  return statuses[info?.status?.code ?? 'UNKNOWN'] ?? 'unknown';
}

export type ListOptions = OptionsOf<OptionTables['releaseListOptions']>;

/**
 * The list as Helm 3 makes it: of the latest revision of each release those in the wanted states, deployed and failed ones
 * unless states are named; by name, or by date from the oldest.
 * @param reply SummarizeReleasesResponse with every stored revision
 */
export function listToData(reply: Uint8Array, options: ListOptions): Buffer {
  const { releases } = decodeMessage('appscode.swift.v2.SummarizeReleasesResponse', reply);
  const wanted = wantedStates(options);
  const isOnly = wanted.size === 1 && wanted.has('superseded'); // never the state of a latest revision
  const shown = (isOnly ? releases : latestOf(releases)).filter(({ info }) => wanted.has(statusOf(info)));
  const order = options.by_date ? byDate : byName;
  shown.sort(options.sort_reverse ? (a, b) => order(b, a) : order);
  const { offset, limit } = options;
  const page = shown.slice(offset, limit > 0 ? offset + limit : undefined);
  return toJson(page.map(toElement));
}

export const listWhereItFits = whereItFits(import.meta.url, listToData);

function wantedStates(options: ListOptions): ReadonlySet<string> {
  if (options.all) return new Set(Object.values(statuses));
  const names = (['deployed', 'uninstalled', 'superseded', 'uninstalling', 'failed'] as const).filter(
    name => options[name],
  );
  const pending = options.pending ? ['pending-install', 'pending-upgrade', 'pending-rollback'] : [];
  const wanted = [...names, ...pending];
  return new Set(wanted.length > 0 ? wanted : ['deployed', 'failed']);
}

function latestOf(releases: readonly SwiftReleaseSummary[]): SwiftReleaseSummary[] {
  const latest = new Map<string, SwiftReleaseSummary>();
  for (const release of releases) {
    const key = `${release.namespace}/${release.name}/${release.storage}`;
    if (release.version > (latest.get(key)?.version ?? 0)) latest.set(key, release);
  }
  return [...latest.values()];
}

function byName(a: SwiftReleaseSummary, b: SwiftReleaseSummary): number {
  return compareUtf8(a.name, b.name) || compareUtf8(a.namespace, b.namespace) || a.version - b.version;
}

function byDate(a: SwiftReleaseSummary, b: SwiftReleaseSummary): number {
  const [at, bt] = [a, b].map(({ info }) => info?.last_deployed ?? { seconds: 0, nanos: 0 });
  return at!.seconds - bt!.seconds || at!.nanos - bt!.nanos || byName(a, b);
}

/** @param reply GetHistoryResponse, newest first as helm-wrapper shows it */
export function historyToData(reply: Uint8Array): Buffer {
  const { releases } = decodeMessage('appscode.swift.v2.GetHistoryResponse', reply);
  const rows = releases.map(({ version, info, chart }) => ({
    revision: version,
    updated: toRfc3339(info?.last_deployed),
    status: statusOf(info),
    chart: chart?.metadata ? `${chart.metadata.name}-${chart.metadata.version}` : 'MISSING',
    app_version: chart?.metadata ? chart.metadata.appVersion : 'MISSING',
    description: info?.Description ?? '',
  }));
  return toJson(rows);
}

export const historyWhereItFits = whereItFits(import.meta.url, historyToData);

/** The parts of a release that can be asked for. */
const parts = {
  status: (release: Release) => {
    const { notes = '' } = release.info?.status ?? {};
    const element = toElement({ ...release, chart_metadata: release.chart?.metadata ?? null });
    return JSON.stringify({ ...element, ...(notes !== '' && { notes }) });
  },
  values: ({ config }: Release) => {
    const json = yamlToJson(config?.raw ?? '').trim();
    return json === '{}' || json === 'null' ? undefined : json;
  },
  yaml: ({ config }: Release) => {
    const values = parseYaml(config?.raw ?? '');
    const isEmpty = values instanceof Map && values.size === 0;
    return JSON.stringify(writeYaml(isEmpty ? null : values));
  },
  manifest: ({ manifest }: Release) => JSON.stringify(manifest),
  notes: ({ info }: Release) => JSON.stringify(info?.status?.notes ?? ''),
  hooks: ({ hooks }: Release) => JSON.stringify(hooks.map(toHook)),
};

export type Part = keyof typeof parts;

/**
 * One part of a release; undefined where there is nothing to show.
 * @param reply GetReleaseContentResponse
 */
export function partToData(reply: Uint8Array, part: Part): Buffer | undefined {
  const { release } = decodeMessage('appscode.swift.v2.GetReleaseContentResponse', reply);
  const text = release ? parts[part](release) : undefined;
  return text === undefined ? undefined : Buffer.from(text);
}

export const partWhereItFits = whereItFits(import.meta.url, partToData);

const policies = {
  SUCCEEDED: 'hook-succeeded',
  FAILED: 'hook-failed',
  BEFORE_HOOK_CREATION: 'before-hook-creation',
};

/** Tiller notes when a hook has run, which it does only of those that succeeded. */
function toHook({ name, kind, path, manifest, events, last_run: lastRun, weight, delete_policies }: Hook) {
  const completed = toRfc3339(lastRun);
  return {
    ...(name && { name }),
    ...(kind && { kind }),
    ...(path && { path }),
    ...(manifest && { manifest }),
    ...(events.length > 0 && { events: events.map(toEvent) }),
    last_run: { started_at: '', completed_at: completed, phase: completed === '' ? '' : 'Succeeded' },
    ...(weight !== 0 && { weight }),
    ...(delete_policies.length > 0 && {
      delete_policies: delete_policies.map(policy => policies[policy] ?? policy),
    }),
  };
}

/** `PRE_INSTALL` → `pre-install`; Helm 3 has one name for tests. */
function toEvent(event: string): string {
  const name = event.toLowerCase().replaceAll('_', '-');
  return name === 'release-test-success' ? 'test' : name;
}

/** What `info` of a chart can be, with the part of our own catalogue that it is made of. */
export const chartInfos = { all: 'files', chart: 'chart', values: 'values', readme: 'readme' } as const;

export type ChartInfo = keyof typeof chartInfos;

const chartResponse = 'appscode.swift.v2.GetChartResponse';
const chartNumber = messageType(chartResponse).byName.get('chart')?.number;

/**
 * A chart's files as `[{name, data}]`, every one as text; Chart.yaml as an object; or the text of one file, empty where
 * the chart has none. May run in a thread.
 * @param reply GetChartResponse
 */
export function chartToData(reply: Uint8Array, info: ChartInfo): Buffer {
  if (info === 'chart') {
    const part = [...wireFields(reply)].find(({ number }) => number === chartNumber);
    return toJson(part ? readStruct(reply.subarray(part.valueStart, part.end)) : {});
  }
  const { files, values, readme } = decodeMessage(chartResponse, reply);
  if (info !== 'all') return toJson(info === 'values' ? values : readme);
  return toJson(files.map(({ name, text, data }) => ({ name, data: text || Buffer.from(data).toString() })));
}

function toJson(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

export const chartWhereItFits = whereItFits(import.meta.url, chartToData);
