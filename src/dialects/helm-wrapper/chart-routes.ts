import { uploadsName } from '../../charts/index.ts';
import type { Route } from '../../http/index.ts';
import { GatewayError } from '../../protocol/index.ts';
import { type Call, type HelmWrapperOptions, routeMaker } from './call.ts';
import { type ChartInfo, chartInfos, chartWhereItFits } from './chart-data.ts';
import type { Data } from './envelope.ts';
import { inWords, refuse } from './helm-errors.ts';
import { referenceOf } from './wanted-chart.ts';

/** The routes about charts and repositories, which are this gateway's own for all clusters. */
export function createChartRoutes(options: HelmWrapperOptions): Route[] {
  const route = routeMaker(options);
  return [
    route(
      'GET',
      '/api/charts',
      {
        summary: 'Shows a chart: its files, Chart.yaml, values or README.',
        query: {
          chart: '`REPO/NAME`, a URL, `oci://HOST/NAME`, or the file name of an upload.',
          info: '`all` (default), `chart`, `values` or `readme`',
          version: 'Version or range; the newest release where it is empty.',
        },
        data: [{ name: 'Chart.yaml', data: 'name: web\nversion: 1.4.2\n' }],
      },
      showChart,
    ),
    route(
      'GET',
      '/api/repositories',
      {
        summary: 'Lists the chart repositories.',
        data: [{ name: 'stable', url: 'https://charts.example.com' }],
      },
      listRepositories,
    ),
    route(
      'POST',
      '/api/repositories',
      { summary: 'Adds a chart repository, whose index has to be readable.', options: 'repository' },
      addRepository,
    ),
    route(
      'PUT',
      '/api/repositories',
      { summary: 'Asks for the indexes of all repositories again.' },
      refreshRepositories,
    ),
    route(
      'DELETE',
      '/api/repositories/{name}',
      { summary: 'Removes a chart repository that was added.' },
      removeRepository,
    ),
    route(
      'GET',
      '/api/repositories/charts',
      {
        summary: 'Searches the charts of all repositories.',
        query: {
          keyword: 'Text of a name, a description or keywords.',
          version: 'Range of versions; `>0.0.0` where it is empty.',
          versions: '`true` for every version in place of the newest one.',
        },
        data: [{ name: 'stable/web', version: '1.4.2', app_version: '1.25', description: 'A web server' }],
      },
      searchCharts,
    ),
  ];
}

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
  const reply = await call.charts.catalogue.show(wanted, [part], signal, hold);
  return chartWhereItFits(call.job(reply.length), reply, info as ChartInfo);
}

async function listRepositories(call: Call): Promise<Data> {
  const list = await call.charts.repositories.list();
  return JSON.stringify(list.map(({ name, url }) => ({ name, url })));
}

async function addRepository(call: Call): Promise<Data> {
  const { name, url, username, password } = await call.options('repository');
  const repository = { name, url, credentials: { username, password }, validate: true };
  await call.charts.repositories.add(repository, call.context.signal);
  return undefined;
}

async function removeRepository(call: Call): Promise<Data> {
  await call.charts.repositories.remove(call.field('name'));
  return undefined;
}

async function refreshRepositories(call: Call): Promise<Data> {
  const repositories = await call.charts.repositories.refreshAll(call.context.signal);
  const failed = repositories
    .filter(({ error }) => error !== '')
    .map(({ name, error }) => `{${name} ${error}}`);
  if (failed.length > 0) refuse(`error list: [${failed.join(' ')}]`);
  return undefined;
}

async function searchCharts(call: Call): Promise<Data> {
  const query = {
    keyword: call.query('keyword'),
    version: call.query('version') || '>0.0.0',
    versions: call.query('versions') === 'true',
  };
  const charts = await call.charts.catalogue.searchHelm3(query, call.context.signal).catch(error => {
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
