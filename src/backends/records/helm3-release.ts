import { encodeMessage, enumType, type Hook, type Timestamp, textToTimestamp } from '../../codec/index.ts';
import { invalidArgument, ThreadPool, whereItFits } from '../../protocol/index.ts';
import { writeYaml, type YamlValue } from '../../yaml/index.ts';

/*
 * Helm 3's and 4's releases in Helm 2's message. Their record is JSON.
 * Source: https://github.com/helm/helm/tree/v3.17.3/pkg/release and pkg/chart; samples in test/conformance/helm3
 */

type Json = null | boolean | number | bigint | string | Json[] | JsonObject;
interface JsonObject {
  readonly [key: string]: Json;
}

/** States with another name in Helm 2; the others differ only in how they are spelt. */
const states: Readonly<Record<string, string>> = { UNINSTALLED: 'DELETED', UNINSTALLING: 'DELETING' };
const events: Readonly<Record<string, string>> = { TEST: 'RELEASE_TEST_SUCCESS' };
const deletePolicies: Readonly<Record<string, number>> = {
  'hook-succeeded': 0,
  'hook-failed': 1,
  'before-hook-creation': 2,
};

const stateNumbers = enumType('hapi.release.Status.Code').numbers;
const eventNumbers = enumType('hapi.release.Hook.Event').numbers;

/** Values nest less; deeper ones are refused before they exhaust the stack. */
const maxDepth = 100;

/**
 * The `hapi.release.Release` of a record's JSON. What Helm 2 has no field for is left out (lock, dependencies of
 * Chart.yaml); a chart's JSON schema becomes its file `values.schema.json`, as which it was packed.
 * @throws GatewayError INVALID_ARGUMENT for JSON that is no release
 */
export function helm3ToRelease(json: Buffer): Buffer {
  const record = objectOf(parse(json));
  const info = objectOf(record.info);
  const code = statusOf(textOf(info.status));
  return encodeMessage('hapi.release.Release', {
    name: textOf(record.name),
    info: {
      status: { code: code as never, notes: textOf(info.notes) },
      first_deployed: timeOf(info.first_deployed),
      last_deployed: timeOf(info.last_deployed),
      deleted: timeOf(info.deleted),
      Description: textOf(info.description),
    },
    chart: chartOf(objectOf(record.chart)),
    config: { raw: valuesOf(record.config) },
    manifest: textOf(record.manifest),
    hooks: listOf(record.hooks).map(hook => hookOf(objectOf(hook))),
    version: numberOf(record.version),
    namespace: textOf(record.namespace),
  });
}

/**
 * Whoever may write into one namespace makes records there, of a few KiB that unpack to millions of values: they may cost
 * a thread, but nobody else's time. Up to 32 KiB is read here: the worst of that size takes 75 ms.
 */
export const helm3ToReleaseWhereItFits = whereItFits(
  import.meta.url,
  helm3ToRelease,
  32 * 1024,
  new ThreadPool({ maxThreads: 1, maxWaiting: Number.POSITIVE_INFINITY, maxHeapMiB: 256, maxJobMs: 10_000 }),
);

/** Bounds on what is parsed: memory that runs out while V8 parses ends the process, not the thread. */
const [maxValues, maxNesting] = [250_000, 1_000];

const [quote, backslash, comma] = Buffer.from('"\\,');
const [opening, ending] = [new Set(Buffer.from('[{')), new Set(Buffer.from(']}'))];

/** @throws GatewayError INVALID_ARGUMENT for JSON that is over the bounds */
function requireBounded(json: Buffer): void {
  let [values, depth, isText] = [0, 0, false];
  for (let at = 0; at < json.length; at++) {
    const sign = json[at]!;
    if (sign === backslash) at++;
    else if (sign === quote) isText = !isText;
    if (isText) continue;
    if (opening.has(sign)) depth++;
    else if (ending.has(sign)) depth--;
    if (sign === comma || opening.has(sign)) values++;
    if (values > maxValues) throw invalidArgument(`data.release has over ${maxValues} values`);
    if (depth > maxNesting) throw invalidArgument(`data.release nests deeper than ${maxNesting}`);
  }
}

/** Integers become bigints, so that large ones stay exact and `1` stays another value than `1.0`. */
function parse(json: Buffer): Json {
  type Reviver = (key: string, value: Json, context: { source?: string }) => Json;
  const exact: Reviver = (_key, value, { source = '' }) =>
    typeof value === 'number' && /^-?\d+$/.test(source) ? BigInt(source) : value;
  requireBounded(json);
  try {
    return JSON.parse(json.toString(), exact as never) as Json;
  } catch (cause) {
    throw invalidArgument('data.release is not JSON', { cause });
  }
}

function statusOf(status: string): string {
  const name = enumName(status);
  const known = states[name] ?? name;
  return stateNumbers.has(known) ? known : 'UNKNOWN';
}

/** `pending-install` → `PENDING_INSTALL` */
function enumName(text: string): string {
  return text.toUpperCase().replaceAll('-', '_');
}

/** The fields of Chart.yaml that hold one text each, called alike in Helm 2's message. */
const metadataTexts =
  'name home version description icon apiVersion condition tags appVersion kubeVersion'.split(' ');

function chartOf(chart: JsonObject) {
  const metadata = objectOf(chart.metadata);
  const schema = dataOf(chart.schema);
  const files = listOf(chart.files).map(objectOf);
  return {
    metadata: {
      ...Object.fromEntries(metadataTexts.map(name => [name, textOf(metadata[name])])),
      sources: textsOf(metadata.sources),
      keywords: textsOf(metadata.keywords),
      maintainers: listOf(metadata.maintainers)
        .map(objectOf)
        .map(({ name, email, url }) => ({ name: textOf(name), email: textOf(email), url: textOf(url) })),
      deprecated: metadata.deprecated === true,
      annotations: Object.fromEntries(
        Object.entries(objectOf(metadata.annotations)).map(([key, value]) => [key, textOf(value)]),
      ),
    },
    templates: listOf(chart.templates)
      .map(objectOf)
      .map(({ name, data }) => ({ name: textOf(name), data: dataOf(data) })),
    values: { raw: valuesOf(chart.values) },
    files: [
      ...files.map(({ name, data }) => ({ type_url: textOf(name), value: dataOf(data) })),
      ...(schema.length > 0 ? [{ type_url: 'values.schema.json', value: schema }] : []),
    ],
  };
}

function hookOf(hook: JsonObject): Partial<Hook> {
  const run = objectOf(hook.last_run);
  return {
    name: textOf(hook.name),
    kind: textOf(hook.kind),
    path: textOf(hook.path),
    manifest: textOf(hook.manifest),
    events: textsOf(hook.events)
      .map(enumName)
      .map(event => events[event] ?? event)
      .filter(event => eventNumbers.has(event)) as never,
    last_run: (timeOf(run.completed_at) ?? timeOf(run.started_at) ?? null) as Timestamp,
    weight: numberOf(hook.weight),
    delete_policies: textsOf(hook.delete_policies)
      .map(policy => deletePolicies[policy])
      .filter(policy => policy !== undefined) as never,
  };
}

/** As YAML, in which Helm 2 keeps them; nothing where there are none. */
function valuesOf(value: Json | undefined): string {
  const values = objectOf(value);
  return Object.keys(values).length === 0 ? '' : writeYaml(toYaml(values, 0));
}

function toYaml(value: Json, depth: number): YamlValue {
  if (depth > maxDepth) throw invalidArgument(`values nest deeper than ${maxDepth}`);
  if (Array.isArray(value)) return value.map(item => toYaml(item, depth + 1));
  if (typeof value !== 'object' || value === null) return value;
  return new Map(Object.entries(value).map(([key, item]) => [key, toYaml(item, depth + 1)]));
}

function objectOf(value: Json | undefined): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
}

function listOf(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : [];
}

function textOf(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}

function textsOf(value: Json | undefined): string[] {
  return listOf(value).filter(item => typeof item === 'string');
}

function numberOf(value: Json | undefined): number {
  return typeof value === 'bigint' && BigInt.asIntN(32, value) === value ? Number(value) : 0;
}

/** Go's `[]byte` in JSON. */
function dataOf(value: Json | undefined): Buffer {
  return Buffer.from(textOf(value), 'base64');
}

/** Go writes the year 1 for a time that is not set. */
function timeOf(value: Json | undefined): Timestamp | undefined {
  const time = textToTimestamp(textOf(value));
  if (!time || textOf(value).startsWith('0001-')) return undefined;
  return { seconds: Number(time.seconds), nanos: time.nanos };
}
