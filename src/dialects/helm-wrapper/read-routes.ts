import type { Call, Data, RouteTable } from './call.ts';
import { orNotFound, refuse } from './helm-errors.ts';
import { historyWhereItFits, listWhereItFits, type Part, partWhereItFits } from './reply-data.ts';

const releases = '/api/namespaces/{namespace}/releases';
export const releasePath = `${releases}/{release}`;

/** Far more revisions than a cluster stores: Tiller cuts a list of revisions into pages by the names of releases. */
const allRevisions = 10_000_000;

const element = {
  name: 'web',
  namespace: 'default',
  revision: '2',
  updated: '2026-11-26 15:20:07.20760071 +0000 UTC',
  status: 'deployed',
  chart: 'web',
  chart_version: '1.4.2',
  app_version: '1.25',
};
const row = {
  revision: 2,
  updated: '2026-11-26T15:20:07.20760071Z',
  status: 'deployed',
  chart: 'web-1.4.2',
  app_version: '1.25',
  description: 'Upgrade complete',
};

/** The routes that read releases. */
export const readRoutes: RouteTable = {
  [`GET ${releases}`]: {
    summary: 'Lists releases: by default those deployed or failed, of one namespace.',
    options: 'releaseListOptions',
    data: [element],
    answer: listReleases,
  },
  [`GET ${releasePath}`]: {
    summary: "Gets a release's values, manifest, notes or hooks.",
    query: {
      info: '`values` (default), `manifest`, `notes` or `hooks`',
      output: 'of values: `json` (default) or `yaml`',
    },
    data: { replicas: 2 },
    answer: showPart,
  },
  [`GET ${releasePath}/status`]: {
    summary: "Gets a release's state.",
    data: element,
    answer: call => partOf(call, 'status'),
  },
  [`GET ${releasePath}/histories`]: {
    summary: "Lists a release's revisions, newest first.",
    data: [row],
    answer: showHistory,
  },
};

async function listReleases(call: Call): Promise<Data> {
  const options = await call.options('releaseListOptions');
  if (options.offset < 0 || options.limit < 0) refuse('limit and offset must not be negative');
  const reply = await call.ask('SummarizeReleases', {
    all: true,
    limit: allRevisions,
    filter: options.filter,
    namespace: options.all_namespaces ? '' : call.release.namespace,
  });
  return listWhereItFits(call.job(reply.length), reply, options);
}

const parts: readonly string[] = ['hooks', 'manifest', 'notes', 'values'];

async function showPart(call: Call): Promise<Data> {
  const info = call.query('info') || 'values';
  if (!parts.includes(info))
    refuse(`bad info ${info.slice(0, 100)}, release info only support hooks/manifest/notes/values`);
  const output = call.query('output') || 'json';
  if (info === 'values' && output !== 'json' && output !== 'yaml')
    refuse(`invalid format type ${output.slice(0, 100)}, output only support json/yaml`);
  return partOf(call, info === 'values' && output === 'yaml' ? 'yaml' : (info as Part));
}

async function partOf(call: Call, part: Part): Promise<Data> {
  const reply = await orNotFound('release: not found', () => call.ask('GetReleaseContent', call.release));
  return partWhereItFits(call.job(reply.length), reply, part);
}

async function showHistory(call: Call): Promise<Data> {
  const reply = await orNotFound('release: not found', () => call.ask('GetHistory', call.release));
  return historyWhereItFits(call.job(reply.length), reply);
}
