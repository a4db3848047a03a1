import { Code, codeName, errorToHttpStatus, type Reason, reasons } from '../protocol/index.ts';
import type { Schema } from './openapi-schemas.ts';

/* What the OpenAPI document says beyond the contract and its examples: errors, and the answers of pages. */

/** The other form of a stream of changes. */
export const serverSentEvents: Schema = {
  schema: {
    type: 'string',
    description:
      'Server-sent events: `event` is the type in lower case (`added`, `snapshot-end`), `id` resumes by `Last-Event-ID`, `data` is the JSON of the event. Heartbeats are comments. `event: end` with `{"error": {...}}` is the last.',
  },
  example: 'event: deleted\nid: 5f0c2a91.8.configmaps-1034\ndata: {"type":"DELETED"}\n\n',
};

interface ErrorCase {
  readonly reason: Reason;
  readonly code: Code;
  readonly description: string;
  readonly message: string;
  readonly step?: string;
}

const invalid: ErrorCase = {
  reason: 'INVALID_REQUEST',
  code: Code.INVALID_ARGUMENT,
  description: 'The request cannot be right: a field, the chart, or its values.',
  message: 'limit: expected a whole number, got "two"',
};
const notThere: ErrorCase = {
  reason: 'RELEASE_NOT_FOUND',
  code: Code.NOT_FOUND,
  description: 'There is no such release or revision.',
  message: 'release: "nope" not found',
};
const chartNotThere: ErrorCase = {
  reason: 'CHART_NOT_FOUND',
  code: Code.NOT_FOUND,
  description: 'There is no such repository, chart or version.',
  message: 'no chart named "nope" in the repository stable',
};
const forbidden: ErrorCase = {
  reason: 'FORBIDDEN',
  code: Code.PERMISSION_DENIED,
  description: 'Tiller may not do this in the cluster.',
  message:
    'release alpha failed: configmaps is forbidden: User "system:serviceaccount:kube-system:tiller" cannot create',
};
const conflict: ErrorCase = {
  reason: 'RELEASE_EXISTS',
  code: Code.ALREADY_EXISTS,
  description: 'The name is taken, the release is deleted already, or another operation is in progress.',
  message: 'a release named alpha already exists.',
};
const uploadsOff: ErrorCase = {
  reason: 'NOT_SUPPORTED',
  code: Code.UNIMPLEMENTED,
  description: 'This gateway keeps no uploads.',
  message: 'this gateway keeps no uploads: it was started without --chart-upload-dir',
};
const uploadThere: ErrorCase = {
  reason: 'CHART_EXISTS',
  code: Code.ALREADY_EXISTS,
  description: 'This version of the chart was uploaded before.',
  message: 'hello 0.1.0 was uploaded already, the same bytes; force replaces it',
};
const noRoom: ErrorCase = {
  reason: 'UPLOADS_FULL',
  code: Code.RESOURCE_EXHAUSTED,
  description:
    'There is no room for another upload (`--chart-max-uploads`, `--chart-max-upload-bytes`, the disk).',
  message: 'there is no room left on the disk of the uploads (ENOSPC)',
};
const tooLarge: ErrorCase = {
  reason: 'BODY_TOO_LARGE',
  code: Code.RESOURCE_EXHAUSTED,
  description: 'The body is over the limit (`--body-limit`).',
  message: 'the request body is over the limit of 33554432 bytes',
};
const unknown: ErrorCase = {
  reason: 'UPSTREAM_FAILED',
  code: Code.UNKNOWN,
  description: 'Tiller failed for a reason that its text does not explain.',
  message: 'etcdserver: request is too large',
};
const unreachable: ErrorCase = {
  reason: 'UPSTREAM_UNREACHABLE',
  code: Code.UNAVAILABLE,
  description: 'Tiller, its cluster or a chart repository cannot be reached; `step` says which step failed.',
  message: 'connecting to tiller-deploy.kube-system.svc:44134: connection refused',
  step: 'connecting to tiller-deploy.kube-system.svc:44134',
};
const late: ErrorCase = {
  reason: 'DEADLINE_EXCEEDED',
  code: Code.DEADLINE_EXCEEDED,
  description: 'The deadline (`Grpc-Timeout`, `--tiller-timeout`) passed, or Tiller waited in vain.',
  message: 'release alpha failed: timed out waiting for the condition',
};

const noRecords: ErrorCase = {
  reason: 'RECORDS_UNAVAILABLE',
  code: Code.FAILED_PRECONDITION,
  description:
    'The gateway does not watch the release records of this cluster, and Tiller tells of no changes.',
  message: 'the releases of this cluster are read from Tiller, which tells of no changes',
};
const tooMany: ErrorCase = {
  reason: 'OVERLOADED',
  code: Code.RESOURCE_EXHAUSTED,
  description: 'Too many streams are open already (`--max-watchers`).',
  message: '1000 streams of changes are open already (--max-watchers)',
};

/** The error responses of an operation, by HTTP status. @param names what its path names */
export function errorResponses({
  writes,
  hasBody,
  names,
  isLive,
  isUpload,
}: Readonly<Record<'writes' | 'hasBody' | 'isLive' | 'isUpload', boolean>> & {
  readonly names: 'release' | 'chart' | undefined;
}): Record<string, Schema> {
  const cases = [
    invalid,
    ...(writes ? [forbidden] : []),
    ...(names === 'release' ? [notThere] : []),
    ...(names === 'chart' ? [chartNotThere] : []),
    ...(writes && !isUpload ? [conflict] : []),
    ...(isUpload ? [uploadsOff] : []),
    ...(isUpload && hasBody ? [uploadThere, noRoom] : []),
    ...(hasBody ? [tooLarge] : []),
    ...(isLive ? [noRecords, tooMany] : []),
    unknown,
    unreachable,
    late,
  ];
  return Object.fromEntries(cases.map(error => [String(errorToHttpStatus(error)), errorResponse(error)]));
}

function errorResponse({ code, reason, description, message, step }: ErrorCase): Schema {
  const example = { code, message, reason, ...(step !== undefined && { step }) };
  return {
    description: `${codeName(code)}: ${description}`,
    content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' }, example } },
  };
}

export const errorSchema: Schema = {
  type: 'object',
  description: 'What went wrong.',
  required: ['code', 'message', 'reason'],
  properties: {
    code: { type: 'integer', minimum: 1, maximum: 16, description: 'A google.rpc.Code.' },
    message: { type: 'string', description: 'For people: it may change.' },
    reason: {
      type: 'string',
      enum: Object.keys(reasons),
      description: Object.entries(reasons)
        .map(([reason, meaning]) => `- \`${reason}\`: ${meaning}`)
        .join('\n'),
    },
    step: { type: 'string', description: 'The step on the path to Tiller that failed.' },
  },
};

/** The answer of a route that is not in the contract. */
export interface PageAnswer {
  readonly type: string;
  readonly schema: Schema;
  readonly example: unknown;
  readonly parameters?: readonly Schema[];
}

const text: Schema = { type: 'string' };
const page = (example: string, type = 'text/plain'): PageAnswer => ({ type, schema: text, example });
const json = (example: object, parameters: readonly Schema[] = []): PageAnswer => ({
  type: 'application/json',
  schema: { type: 'object', properties: propertiesOf(example), additionalProperties: true },
  example,
  parameters,
});

/** A schema of an example's own fields, as deep as one look at the answer goes. */
function propertiesOf(example: object): Record<string, Schema> {
  const typeOf = (value: unknown) => (Array.isArray(value) ? 'array' : typeof value);
  return Object.fromEntries(Object.entries(example).map(([name, value]) => [name, { type: typeOf(value) }]));
}

const ofClusters: Schema = {
  name: 'cluster',
  in: 'query',
  description: 'Asks only these clusters.',
  schema: { type: 'array', items: { type: 'string' } },
};
const check: Schema = {
  name: 'check',
  in: 'query',
  description: 'Ask each cluster first, which opens those that are idle.',
  allowEmptyValue: true,
  schema: { type: 'boolean' },
};
const part = { cluster: 'east', ok: true, duration_ms: 12.5 };

export const pageAnswers: Readonly<Record<string, PageAnswer>> = {
  '/': page('<!doctype html><title>tiller-gateway</title>', 'text/html'),
  '/openapi.json': json({ openapi: '3.1.0' }),
  '/healthz': page('alive\n'),
  '/readyz': page('Tiller v2.17.0\n'),
  '/metrics': page('tiller_gateway_requests_total 1\n'),
  '/clusters': json(
    { default: 'east', clusters: [{ name: 'east', upstream: 'gateway', state: 'ready', calls: 0 }] },
    [check],
  ),
  '/clusters/-/tiller/v2/releases/json': json(
    {
      count: '1',
      total: '1',
      releases: [{ cluster: 'east', name: 'alpha', version: 1, namespace: 'default' }],
      clusters: [{ ...part, count: '1', total: '1' }],
    },
    [ofClusters],
  ),
  '/clusters/-/tiller/v2/releases/watch/json': {
    type: 'application/x-ndjson',
    schema: {
      type: 'object',
      description:
        'One line for each event; the events are those of one cluster with its name, and FAILED and RECOVERED. With `Accept: text/event-stream`, server-sent events.',
    },
    example: { result: { type: 'FAILED', cluster: 'east', error: { code: 14, message: 'no answer' } } },
    parameters: [ofClusters],
  },
  '/clusters/-/tiller/v2/version/json': json({ clusters: [{ ...part, version: { sem_ver: 'v2.17.0' } }] }, [
    ofClusters,
  ]),
};
