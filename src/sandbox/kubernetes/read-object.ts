import type { IncomingMessage } from 'node:http';
import { goJson, parseYaml } from '@tiller-gateway/helm-render/yaml';
import { Code, callScope, GatewayError, readBounded } from '../../protocol/index.ts';
import { badRequest, KubeFailure } from '../objects/failure.ts';
import { goJsonFault } from '../objects/go-json-fault.ts';
import { isObject, type KubeObject, objectOf, textOf } from '../objects/kube-object.ts';
import { joinApiVersion, splitApiVersion } from '../objects/resources.ts';
import { protobufToJson } from './protobuf-body.ts';

/** The API server's own bound. */
const maxBodyBytes = 3 * 1024 * 1024;

/** How long a body may take to arrive. */
const bodyTimeoutMs = 30_000;

/**
 * A body as JSON or YAML, or of another format that its reader knows.
 * @throws KubeFailure 413, 415; GatewayError where the body does not arrive
 */
export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const body = await readBytes(request);
  if (!/protobuf/.test(request.headers['content-type'] ?? '')) return body;
  const json = protobufToJson(body);
  if (json) return json;
  const text =
    'the body of the request was in an unknown format - accepted media types include: application/json, application/yaml';
  throw new KubeFailure(415, 'UnsupportedMediaType', text, {});
}

async function readBytes(request: IncomingMessage): Promise<Buffer> {
  const text = `the body did not arrive within ${bodyTimeoutMs / 1000} s`;
  const late = () => new GatewayError(Code.DEADLINE_EXCEEDED, text);
  const scope = callScope({ timeoutMs: bodyTimeoutMs, late });
  try {
    return await readBounded(request, { maxBytes: maxBodyBytes, signal: scope.signal, keepOpen: true });
  } catch (error) {
    if (!(error instanceof GatewayError) || error.reason !== 'BODY_TOO_LARGE') throw error;
    const tooLarge = `Request entity too large: limit is ${maxBodyBytes}`;
    throw new KubeFailure(413, 'RequestEntityTooLarge', tooLarge, {});
  } finally {
    scope.end();
  }
}

/** Which kind a body must be of. */
interface Expected {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

/** What Kubernetes' converter misses first when an object of another kind is to be one of these. */
const firstMissing: Readonly<Record<string, string>> = { ConfigMap: 'BinaryData', Secret: 'StringData' };

/**
 * An object as JSON, or as YAML where it is no JSON but a map in YAML.
 * @throws KubeFailure 400 for what is neither, or of another kind
 */
export function parseObject(bytes: Buffer, expected: Expected): KubeObject {
  const parsed = parseBody(bytes, expected.kind);
  const kind = textOf(parsed.kind);
  const apiVersion = textOf(parsed.apiVersion);
  const [group, version] = splitApiVersion(apiVersion);
  const isOptions = expected.kind === 'DeleteOptions'; // every group has them
  if (
    !isOptions &&
    apiVersion !== '' &&
    (group !== expected.group || (kind === expected.kind && version !== expected.version))
  ) {
    const wanted = joinApiVersion(expected.group, expected.version);
    throw badRequest(
      `the API version in the data (${apiVersion}) does not match the expected API version (${wanted})`,
    );
  }
  if (kind !== '' && kind !== expected.kind) throw wrongKind(kind, version || expected.version, expected);
  return { ...parsed, metadata: { name: '', ...objectOf(parsed.metadata) } };
}

function parseBody(bytes: Buffer, kind: string): { readonly [key: string]: unknown } {
  const fault = goJsonFault(bytes.toString('latin1'));
  if (fault === undefined) {
    const parsed: unknown = JSON.parse(bytes.toString('utf8'));
    if (isObject(parsed)) return parsed;
  } else {
    const parsed = parseYamlObject(bytes.toString('utf8'));
    if (isObject(parsed)) return parsed;
  }
  const why = fault ?? 'cannot unmarshal into an object';
  throw badRequest(
    `the object provided is unrecognized (must be of type ${kind}): couldn't get version/kind; json parse error: ${why} (${summarize(bytes)})`,
  );
}

/** The first document of a YAML text as JSON; undefined for what is no YAML. */
export function parseYamlObject(text: string): unknown {
  try {
    return JSON.parse(goJson(parseYaml(text)));
  } catch {
    return undefined;
  }
}

function wrongKind(kind: string, version: string, { group, kind: wanted }: Expected): KubeFailure {
  const missing = firstMissing[wanted];
  const why = missing === undefined ? 'unknown conversion' : `${missing} not present in src`;
  const internal = group === '' ? 'core' : group.split('.')[0];
  return badRequest(
    `${kind} in version ${JSON.stringify(version)} cannot be handled as a ${wanted}: converting (${version}.${kind}) to (${internal}.${wanted}): ${why}`,
  );
}

const maxSummaryBytes = 30;

/** The beginning of a body as the API server shows it: JSON as it is, anything else in hexadecimal. */
function summarize(bytes: Buffer): string {
  if (bytes.length === 0) return '<empty>';
  const start = bytes.subarray(0, maxSummaryBytes);
  const text = bytes[0] === 0x7b ? start.toString('utf8') : start.toString('hex');
  return bytes.length > maxSummaryBytes ? `${text} ...` : text;
}
