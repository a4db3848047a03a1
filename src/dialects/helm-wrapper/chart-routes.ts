import { uploadsName } from '../../charts/index.ts';
import { encodeMessage } from '../../codec/index.ts';
import { hasContentType, readUploadForm } from '../../http/index.ts';
import { Code, GatewayError, headerOf } from '../../protocol/index.ts';
import type { Call, Data, RouteTable } from './call.ts';
import { inWords, refuse } from './helm-errors.ts';
import { type ChartInfo, chartInfos, chartWhereItFits } from './reply-data.ts';
import { referenceOf, uploadsOf } from './wanted-chart.ts';

/**
 * The routes about charts, repositories and uploads, which are this gateway's own for all clusters. Uploads go by the
 * names of their files.
 */
export const chartRoutes: RouteTable = {
  'GET /api/charts': {
    summary: 'Shows a chart: its files, Chart.yaml, values or README.',
    query: {
      chart: '`REPO/NAME`, a URL, `oci://HOST/NAME`, or the file name of an upload.',
      info: '`all` (default), `chart`, `values` or `readme`',
      version: 'Version or range; the newest release where it is empty.',
    },
    data: [{ name: 'Chart.yaml', data: 'name: web\nversion: 1.4.2\n' }],
    answer: showChart,
  },
  'GET /api/repositories': {
    summary: 'Lists the chart repositories.',
    data: [{ name: 'stable', url: 'https://charts.example.com' }],
    answer: listRepositories,
  },
  'POST /api/repositories': {
    summary: 'Adds a chart repository, whose index has to be readable.',
    options: 'repository',
    answer: addRepository,
  },
  'PUT /api/repositories': {
    summary: 'Asks for the indexes of all repositories again.',
    answer: refreshRepositories,
  },
  'DELETE /api/repositories/{name}': {
    summary: 'Removes a chart repository that was added.',
    answer: removeRepository,
  },
  'GET /api/repositories/charts': {
    summary: 'Searches the charts of all repositories.',
    query: {
      keyword: 'Text of a name, a description or keywords.',
      version: 'Range of versions; `>0.0.0` where it is empty.',
      versions: '`true` for every version in place of the newest one.',
    },
    data: [{ name: 'stable/web', version: '1.4.2', app_version: '1.25', description: 'A web server' }],
    answer: searchCharts,
  },
  'POST /api/charts/upload': {
    summary: 'Uploads a packed chart; one of the same name and version is replaced.',
    upload: 'chart',
    answer: uploadChart,
  },
  'GET /api/charts/upload': {
    summary: 'Lists the uploads by the names of their files.',
    data: ['web-1.4.2.tgz'],
    answer: async call => JSON.stringify((await uploadsOf(call)).map(({ fileName }) => fileName).sort()),
  },
  'DELETE /api/charts/upload/{chart}': {
    summary: 'Deletes an upload; one that is not there is no error.',
    answer: deleteUpload,
  },
};

async function showChart(call: Call): Promise<Data> {
  const chart = call.query('chart');
  if (chart === '') refuse('chart name can not be empty');
  const info = call.query('info') || 'all';
  if (!Object.hasOwn(chartInfos, info))
    refuse(`bad info ${info.slice(0, 100)}, chart info only support readme/values/chart`);
  const { signal, hold } = call.context;
  const { chartUrl: url } = await referenceOf(call, chart, { version: call.query('version'), devel: false });
  const wanted = { archive: undefined, url, credentials: {}, verify: false };
  const part = chartInfos[info as ChartInfo];
  const reply = await call.app.charts.catalogue.show(wanted, [part], signal, hold);
  return chartWhereItFits(call.job(reply.length), reply, info as ChartInfo);
}

async function listRepositories(call: Call): Promise<Data> {
  const list = await call.app.charts.repositories.list();
  return JSON.stringify(list.map(({ name, url }) => ({ name, url })));
}

async function addRepository(call: Call): Promise<void> {
  const { name, url, username, password } = await call.options('repository');
  const repository = { name, url, credentials: { username, password }, validate: true };
  await call.app.charts.repositories.add(repository, call.context.signal);
}

async function removeRepository(call: Call): Promise<void> {
  await call.app.charts.repositories.remove(call.field('name'));
}

async function refreshRepositories(call: Call): Promise<void> {
  const repositories = await call.app.charts.repositories.refreshAll(call.context.signal);
  const failed = repositories
    .filter(({ error }) => error !== '')
    .map(({ name, error }) => `{${name} ${error}}`);
  if (failed.length > 0) refuse(`error list: [${failed.join(' ')}]`);
}

async function searchCharts(call: Call): Promise<Data> {
  const query = {
    query: call.query('keyword'),
    version: call.query('version') || '>0.0.0',
    all_versions: call.query('versions') === 'true',
    repo: '',
  };
  const charts = await call.app.charts.catalogue.searchHelm3(query, call.context.signal).catch(error => {
    const isRange = error instanceof GatewayError && /^not a version or a range /.test(error.message);
    const text = `an invalid version/constraint format: improper constraint: ${query.version.slice(0, 100)}`;
    throw isRange ? inWords(error, text) : error;
  });
  const ofRepositories = charts.filter(({ repo }) => repo !== uploadsName);
  const rows = ofRepositories.map(({ repo, name, version, app_version, description }) => ({
    name: `${repo}/${name}`,
    version: version ?? '',
    app_version: app_version ?? '',
    description: description ?? '',
  }));
  return JSON.stringify(rows);
}

async function uploadChart(call: Call): Promise<void> {
  const { exchange, context } = call;
  if (!hasContentType(exchange.request, 'multipart/form-data'))
    refuse("request Content-Type isn't multipart/form-data");
  if ((headerOf(exchange.request, 'content-encoding') ?? 'identity') !== 'identity')
    refuse('Content-Encoding is not supported for requests');
  const form = await readUploadForm(exchange, call.app.service.receiveUpload, call.app.maxBodyBytes, context);
  const { received, fileName } = form;
  try {
    if (!fileName.endsWith('.tgz')) refuse('chart file suffix must .tgz');
    const request = { force: true, file_name: fileName };
    await received.keep(encodeMessage('appscode.swift.v2.UploadChartRequest', request));
  } finally {
    await received.discard();
  }
}

async function deleteUpload(call: Call): Promise<void> {
  const { signal } = call.context;
  const list = await uploadsOf(call);
  const upload = list.find(({ fileName }) => fileName === call.field('chart'));
  if (!upload) return;
  await call.app.charts.uploads.remove(upload.name, upload.version, signal).catch(error => {
    const isGone = error instanceof GatewayError && error.code === Code.NOT_FOUND;
    if (!isGone) throw error;
  });
}
