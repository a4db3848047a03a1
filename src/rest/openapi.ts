import type { Field, Method } from '../codec/index.ts';
import { type Route, sendJson } from '../http/index.ts';
import { isLive } from '../releases/index.ts';
import { examples } from './openapi-examples.ts';
import { type Schema, SchemaCollector } from './openapi-schemas.ts';
import { errorResponses, errorSchema, pageAnswers, serverSentEvents } from './openapi-texts.ts';
import { isPicture, type ReleaseRoute, takesArchive } from './release-routes.ts';
import { textAnswersOf } from './text-answers.ts';

const description = `Helm 2 releases over HTTP. Errors are \`{"code", "message", "reason", "step"}\`: a google.rpc.Code with its HTTP status, and a reason from a closed list.
Fields at their default are left out of answers; 64-bit integers are strings; both \`snake_case\` and \`lowerCamelCase\` names are read.
The same methods are served by gRPC and gRPC-Web as \`appscode.swift.v2.ReleaseService\` and \`appscode.swift.v2.ChartService\` on this port.`;

const sharedParameters: Record<string, Schema> = {
  pretty: {
    name: 'pretty',
    in: 'query',
    description: 'Indent the answer for people.',
    allowEmptyValue: true,
    schema: { type: 'boolean' },
  },
  timeout: {
    name: 'Grpc-Timeout',
    in: 'header',
    description: 'Deadline of the call: up to 8 digits and one of H M S m u n.',
    schema: { type: 'string', pattern: '^[0-9]{1,8}[HMSmun]$' },
    example: '30S',
  },
  requestId: {
    name: 'X-Request-Id',
    in: 'header',
    description: 'Comes back in the answer and stands in the log; made where it is missing.',
    schema: { type: 'string', maxLength: 128 },
  },
};

const lastEventId: Schema = {
  name: 'Last-Event-ID',
  in: 'header',
  description: 'In place of `resume_after`; a browser sends it by itself when it connects again.',
  schema: { type: 'string' },
};

const landing = { template: '/', summary: 'A page for people, with links.' };

/** The document, and its own route; it describes itself and the landing page as well. */
export function openApiRoute(
  releases: readonly ReleaseRoute[],
  others: readonly Route[],
  version: string,
  home: Pick<Route, 'template' | 'summary'> & Partial<Route> = landing,
): Route {
  const route: Route = {
    template: '/openapi.json',
    verbs: ['GET'],
    summary: 'This document.',
    answer: exchange => sendJson(exchange, json),
  };
  const json = createOpenApi(releases, [...others, route, home], version);
  return route;
}

/**
 * The OpenAPI 3.1 document of the routes, generated from the descriptors: names, types and descriptions are those of
 * the .proto files. Its server is relative, so that it works behind any path prefix.
 */
export function createOpenApi(
  releases: readonly ReleaseRoute[],
  others: readonly (Pick<Route, 'template' | 'summary'> & Partial<Route>)[],
  version: string,
): Buffer {
  const schemas = new SchemaCollector();
  const paths: Record<string, Record<string, unknown>> = {};
  const perCluster = others.some(({ template }) => template === '/clusters');
  for (const route of releases) {
    const { path, verb } = route.binding;
    paths[path] = {
      ...paths[path],
      [verb.toLowerCase()]: {
        ...operation(route, schemas),
        ...(perCluster && { servers }),
      },
    };
  }
  for (const { template, summary, operation: given, verbs = [] } of others) {
    const operations = given
      ? verbs.map(verb => [verb.toLowerCase(), { ...given, ...(perCluster && { servers }) }])
      : [['get', pageOperation(template, summary)]];
    paths[template] = { ...paths[template], ...Object.fromEntries(operations) };
  }
  const document = {
    openapi: '3.1.0',
    info: {
      title: 'tiller-gateway',
      version,
      description,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [ownServer],
    tags: [
      { name: 'releases' },
      { name: 'charts' },
      { name: 'tiller' },
      { name: 'clusters' },
      { name: 'gateway' },
      ...(others.some(({ operation }) => operation?.tags) ? [{ name: 'helm-wrapper' }] : []),
    ],
    paths,
    components: { schemas: { Error: errorSchema, ...schemas.schemas }, parameters: sharedParameters },
  };
  return Buffer.from(JSON.stringify(document));
}

const ownServer = { url: '.', description: 'Where this document is' };
const clusterServer = {
  url: './clusters/{cluster}',
  description: 'One of several clusters',
  variables: { cluster: { default: 'default', description: 'A name of GET /clusters' } },
};
const servers = [ownServer, clusterServer];

function operation({ contract, binding }: ReleaseRoute, schemas: SchemaCollector): Schema {
  const inPath = contract.request.fields.filter(field => binding.path.includes(`{${field.name}}`));
  const rest = contract.request.fields.filter(field => !inPath.includes(field));
  const writes = contract.idempotency !== 'NO_SIDE_EFFECTS';
  const [summary = ''] = contract.comment.split('\n');
  return {
    operationId:
      contract.bindings[0] === binding
        ? contract.name
        : isPicture(binding)
          ? `${contract.name}AsPicture`
          : `${contract.name}By${binding.verb}${inPath.length > 0 ? '' : 'WithoutName'}`,
    tags: [tagOf(binding.path)],
    summary,
    description: contract.comment,
    parameters: [
      ...inPath.map(field => parameter(field, 'path', schemas)),
      ...(binding.body ? [] : rest.filter(isScalar).map(field => parameter(field, 'query', schemas))),
      ...(isLive(contract) ? [lastEventId] : []),
      ...Object.keys(sharedParameters).map(name => ({ $ref: `#/components/parameters/${name}` })),
    ],
    ...(binding.body && { requestBody: requestBody(contract, schemas) }),
    responses: {
      '200': isPicture(binding) ? picture : success(contract, schemas),
      ...errorResponses({
        writes,
        hasBody: binding.body,
        names:
          tagOf(binding.path) === 'charts'
            ? 'chart'
            : inPath.length > 0 || contract.name === 'InstallRelease'
              ? 'release'
              : undefined,
        isLive: isLive(contract),
        isUpload: binding.path.includes('/uploads/'),
      }),
    },
  };
}

/** A route that is not in the contract. */
function pageOperation(template: string, summary: string): Schema {
  const answer = pageAnswers[template];
  if (!answer) throw new Error(`the OpenAPI document has no answer of ${template}`);
  const { type, schema, example, parameters = [] } = answer;
  return {
    operationId: `Get${template.replace(/(?:^|\W+)(\w?)/g, (_, letter: string) => letter.toUpperCase())}`,
    tags: [template.startsWith('/clusters') ? 'clusters' : 'gateway'],
    summary,
    parameters,
    responses: { '200': { description: 'The answer.', content: { [type]: { schema, example } } } },
  };
}

function tagOf(path: string): string {
  return path.includes('/releases/')
    ? 'releases'
    : /\/(charts|repositories)\//.test(path)
      ? 'charts'
      : 'tiller';
}

function isScalar(field: Field): boolean {
  return !field.map && !(typeof field.type === 'object' && field.type.kind === 'message');
}

function parameter(field: Field, place: 'path' | 'query', schemas: SchemaCollector): Schema {
  const { description: _, ...schema } = schemas.field(field, true);
  return {
    name: field.name,
    in: place,
    ...(place === 'path' && { required: true }),
    ...(field.comment && { description: field.comment }),
    schema,
  };
}

function requestBody(contract: Method, schemas: SchemaCollector): Schema {
  const schema = schemas.message(contract.request);
  return {
    content: {
      'application/json': { schema, example: examples[contract.name]?.request ?? {} },
      ...(contract.request.byName.has('chart_archive') && {
        'multipart/form-data': formOf(schema, 'chart_archive', { 'values.raw': { type: 'string' } }),
      }),
      ...(takesArchive(contract) && {
        'multipart/form-data': formOf(schema, 'chart', { force: { type: 'boolean' } }),
      }),
    },
  };
}

/** The same fields as parts of a form, the archive as a file. */
function formOf(schema: Schema, file: string, others: Record<string, Schema>): Schema {
  const archive = { type: 'string', contentMediaType: 'application/gzip' };
  return {
    schema: {
      type: 'object',
      description: `The fields of ${String(schema.$ref)} as parts; a field of a field by its path.`,
      properties: { [file]: archive, ...others },
      additionalProperties: true,
    },
    encoding: { [file]: { contentType: 'application/gzip, application/octet-stream' } },
  };
}

const picture: Schema = {
  description: 'The picture, as its own bytes say which kind it is.',
  content: Object.fromEntries(
    ['png', 'jpeg', 'gif', 'webp', 'svg+xml'].map(kind => [
      `image/${kind}`,
      { schema: { type: 'string', contentMediaType: `image/${kind}` }, example: 'the bytes of the picture' },
    ]),
  ),
};

function success(contract: Method, schemas: SchemaCollector): Schema {
  const message = schemas.message(contract.response);
  const example = examples[contract.name]?.response;
  if (!contract.serverStreaming) {
    const texts = textAnswersOf(contract, example).map(([type, text]) => [
      type,
      { schema: { type: 'string' }, example: text },
    ]);
    return {
      description: 'The answer.',
      content: { 'application/json': { schema: message, example }, ...Object.fromEntries(texts) },
    };
  }
  const error = {
    type: 'object',
    properties: { error: { $ref: '#/components/schemas/Error' } },
    required: ['error'],
  };
  const result = { type: 'object', properties: { result: message }, required: ['result'] };
  const lines = { 'application/x-ndjson': { schema: { oneOf: [result, error] }, example } };
  return {
    description:
      'One JSON object a line, each as soon as it is there; `error` is the last where the stream fails.',
    content: isLive(contract) ? { ...lines, 'text/event-stream': serverSentEvents } : lines,
  };
}
