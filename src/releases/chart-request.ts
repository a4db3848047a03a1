import type { ChartRequest } from '../charts/index.ts';
import { readStruct } from '../codec/index.ts';
import { invalidArgument } from '../protocol/index.ts';
import { RequestFields } from './request-fields.ts';

/** Where the fields that say which chart and which values stand in a request; install and update number them apart. */
export interface ChartFieldNumbers {
  readonly chart: number;
  readonly values: number;
  readonly chartUrl: number;
  readonly caBundle: number;
  readonly username: number;
  readonly password: number;
  readonly token: number;
  readonly clientCertificate: number;
  readonly clientKey: number;
  readonly insecureSkipVerify: number;
  readonly chartArchive: number;
  readonly valuesJson: number;
  readonly set: number;
  readonly setString: number;
  readonly verify: number;
}

/** Of hapi.chart.Chart. Tiller 2.17.0 panics on a chart, or a dependency, without metadata: none may be sent. */
const chartFields = { metadata: 1, dependencies: 3 } as const;

/** Charts nest a few levels; without a bound a message of one nested in another could exhaust the stack. */
const maxChartDepth = 100;

/**
 * What the charts room needs to know to resolve a request's chart and values.
 * @throws GatewayError INVALID_ARGUMENT for an inline chart that has no metadata, or a dependency without
 */
export function readChartRequest(fields: RequestFields, numbers: ChartFieldNumbers): ChartRequest {
  const valuesJson = fields.message(numbers.valuesJson);
  const chart = fields.message(numbers.chart);
  if (chart) checkChartMetadata(chart);
  return {
    ...optional('chart', chart),
    ...optional('values', fields.message(numbers.values)),
    ...optional('caBundle', nonEmpty(fields.bytes(numbers.caBundle))),
    ...optional('clientCertificate', nonEmpty(fields.bytes(numbers.clientCertificate))),
    ...optional('clientKey', nonEmpty(fields.bytes(numbers.clientKey))),
    ...optional('chartArchive', nonEmpty(fields.bytes(numbers.chartArchive))),
    ...optional('valuesJson', valuesJson && readStruct(valuesJson)),
    chartUrl: fields.string(numbers.chartUrl),
    username: fields.string(numbers.username),
    password: fields.string(numbers.password),
    token: fields.string(numbers.token),
    insecureSkipVerify: fields.boolean(numbers.insecureSkipVerify),
    set: fields.strings(numbers.set),
    setString: fields.strings(numbers.setString),
    verify: fields.boolean(numbers.verify),
  };
}

/**
 * Looks for what Tiller panics without.
 * @throws GatewayError INVALID_ARGUMENT for a chart that has no metadata, or a dependency without
 */
export function checkChartMetadata(chart: Uint8Array, path = 'chart', depth = 0): void {
  if (depth > maxChartDepth) throw invalidArgument(`chart: nests deeper than ${maxChartDepth}`);
  const fields = new RequestFields(chart);
  if (!fields.has(chartFields.metadata)) throw invalidArgument(`${path}.metadata: is missing`);
  for (const [index, dependency] of fields.messages(chartFields.dependencies).entries())
    checkChartMetadata(dependency, `${path}.dependencies[${index}]`, depth + 1);
}

function optional<Key extends string, Value>(key: Key, value: Value | undefined): { [K in Key]?: Value } {
  return (value === undefined ? {} : { [key]: value }) as { [K in Key]?: Value };
}

function nonEmpty(bytes: Uint8Array | undefined): Uint8Array | undefined {
  return bytes && bytes.length > 0 ? bytes : undefined;
}
