import { type ChartRequest, type TextValues, type Upload, wrongPart } from '../../charts/index.ts';
import { Code, GatewayError } from '../../protocol/index.ts';
import type { Call } from './call.ts';
import { inWords, refuse } from './helm-errors.ts';
import type { OptionsOf, OptionTables } from './read-options.ts';

export type ReleaseOptions = OptionsOf<OptionTables['releaseOptions']>;

/** Files on the server: whoever calls could try which there are, and have them read. */
const serverFiles = ['ca_file', 'cert_file', 'key_file', 'keyring'] as const;

/**
 * Reads the chart that the query names and the values of the body, in wire format.
 * @throws GatewayError also for what is wrong with the chart or its source
 */
export async function resolveChart(call: Call, options: ReleaseOptions) {
  const named = call.query('chart');
  if (named === '') refuse('chart name can not be empty');
  const file = serverFiles.find(name => options[name] !== '');
  if (file !== undefined)
    refuse(
      `${file} names a file on the server, which a request may not: the gateway's configuration has such files`,
    );
  const values = await readValues(call, options);
  const { signal, hold } = call.context;
  const request: ChartRequest = {
    ...(await referenceOf(call, named, options)),
    dependencyUpdate: options.dependency_update,
    username: options.username,
    password: options.password,
    insecureSkipVerify: options.insecure_skip_verify,
    verify: options.verify,
    values,
    set: [],
    setString: [],
  };
  return call.app.charts.resolve(request, signal, hold);
}

/** What says which chart is wanted, beside its name. */
type Choice = Pick<ReleaseOptions, 'version' | 'devel'> & Partial<Pick<ReleaseOptions, 'repo'>>;

/** From helm-wrapper's names of charts to this gateway's own: an upload goes by the name of its file. */
export async function referenceOf(
  call: Call,
  chart: string,
  { version, devel, repo = '' }: Choice,
): Promise<Pick<ChartRequest, 'chartUrl' | 'repositoryUrl'>> {
  const wanted = version || (devel ? '>0.0.0-0' : '');
  const withVersion = wanted === '' ? chart : `${chart}/${wanted}`;
  if (repo !== '') return { chartUrl: withVersion, repositoryUrl: repo };
  if (chart.startsWith('oci://')) {
    const hasTag = chart.lastIndexOf(':') > chart.lastIndexOf('/');
    return { chartUrl: wanted === '' || hasTag ? chart : `${chart}:${wanted}` };
  }
  if (chart.endsWith('.tgz') && !chart.includes(':')) {
    const list = await uploadsOf(call);
    const upload = list.find(({ fileName }) => fileName === chart);
    if (upload) return { chartUrl: `uploads/${upload.name}/${upload.version}` };
  }
  return { chartUrl: /^[^/:]+\/[^/:]+$/.test(chart) ? withVersion : chart };
}

/** None where this gateway keeps none. */
export async function uploadsOf({ app, context }: Call): Promise<readonly Upload[]> {
  const { uploads } = app.charts;
  return uploads.isEnabled ? uploads.list(context.signal) : [];
}

/** @returns hapi.chart.Config in wire format */
async function readValues(call: Call, options: ReleaseOptions): Promise<Uint8Array> {
  const { signal, hold } = call.context;
  const isUrl = /^https?:\/\/\S+$/i.test(options.values);
  const yaml = isUrl ? await call.app.charts.readText(options.values, signal) : options.values;
  const given: TextValues = { yaml, set: options.set, setString: options.set_string };
  try {
    return await call.app.charts.checkValues(given, signal, hold);
  } catch (error) {
    if (!(error instanceof GatewayError) || error.code !== Code.INVALID_ARGUMENT) throw error;
    const part = wrongPart(error.message);
    throw inWords(error, part === 'values' ? 'failed parsing values' : `failed parsing ${part} data`);
  }
}
