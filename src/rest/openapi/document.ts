import type { Field, MessageType, Method } from '../../codec/index.ts';
import type { Route } from '../router.ts';
import { errorResponses, errorSchema } from './errors.ts';
import { examples } from './examples.ts';
import { type Schema, SchemaCollector } from './schemas.ts';

const description = `Helm 2 releases over HTTP. Errors are \`{"code", "message"}\` with a google.rpc.Code and its HTTP status.
Fields at their default are left out of answers; 64-bit integers are strings; both \`snake_case\` and \`lowerCamelCase\` names are read.`;

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

/**
 * The OpenAPI 3.1 document of the routes, generated from the descriptors: names, types and descriptions are those of
 * the .proto files. Its server is relative, so that it works behind any path prefix.
 */
export function createOpenApi(routes: readonly Route[], version: string): Buffer {
  const schemas = new SchemaCollector();
  const paths: Record<string, Record<string, Schema>> = {};
  for (const route of routes) {
    const { path, verb } = route.binding;
    paths[path] = { ...paths[path], [verb.toLowerCase()]: operation(route, schemas) };
  }
  const document = {
    openapi: '3.1.0',
    info: {
      title: 'tiller-gateway',
      version,
      description,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '.', description: 'Where this document is' }],
    tags: [{ name: 'releases' }, { name: 'charts' }, { name: 'tiller' }],
    paths,
    components: { schemas: { Error: errorSchema, ...schemas.schemas }, parameters: sharedParameters },
  };
  return Buffer.from(JSON.stringify(document));
}

function operation({ method, binding }: Route, schemas: SchemaCollector): Schema {
  const { contract } = method;
  const inPath = contract.request.fields.filter(field => binding.path.includes(`{${field.name}}`));
  const rest = contract.request.fields.filter(field => !inPath.includes(field));
  const writes = binding.verb !== 'GET' || contract.name === 'RollbackRelease';
  const [summary = ''] = contract.comment.split('\n');
  return {
    operationId:
      contract.bindings[0] === binding
        ? contract.name
        : `${contract.name}By${binding.verb}${inPath.length > 0 ? '' : 'WithoutName'}`,
    tags: [tagOf(binding.path)],
    summary,
    description: contract.comment,
    parameters: [
      ...inPath.map(field => parameter(field, 'path', schemas)),
      ...(binding.body ? [] : rest.filter(isScalar).map(field => parameter(field, 'query', schemas))),
      ...Object.keys(sharedParameters).map(name => ({ $ref: `#/components/parameters/${name}` })),
    ],
    ...(binding.body && { requestBody: requestBody(contract, schemas) }),
    responses: {
      '200': success(contract, schemas),
      ...errorResponses(writes, binding.body, inPath.length > 0 || contract.name === 'InstallRelease'),
    },
  };
}

function tagOf(path: string): string {
  return path.includes('/releases/') ? 'releases' : path.includes('/charts/') ? 'charts' : 'tiller';
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
      ...(takesUpload(contract.request) && { 'multipart/form-data': uploadForm(schema) }),
    },
  };
}

function takesUpload(request: MessageType): boolean {
  return request.byName.has('chart_archive');
}

/** The same fields as parts of a form, the archive as a file. */
function uploadForm(schema: Schema): Schema {
  const archive = { type: 'string', contentMediaType: 'application/gzip' };
  return {
    schema: {
      type: 'object',
      description: `The fields of ${String(schema.$ref)} as parts; a field of a field by its path.`,
      properties: { chart_archive: archive, 'values.raw': { type: 'string' } },
      additionalProperties: true,
    },
    encoding: { chart_archive: { contentType: 'application/gzip, application/octet-stream' } },
  };
}

function success(contract: Method, schemas: SchemaCollector): Schema {
  const message = schemas.message(contract.response);
  const example = examples[contract.name]?.response;
  if (!contract.serverStreaming) {
    return { description: 'The answer.', content: { 'application/json': { schema: message, example } } };
  }
  const error = {
    type: 'object',
    properties: { error: { $ref: '#/components/schemas/Error' } },
    required: ['error'],
  };
  const result = { type: 'object', properties: { result: message }, required: ['result'] };
  return {
    description:
      'One JSON object a line, each as soon as it is there; `error` is the last where the run fails.',
    content: { 'application/x-ndjson': { schema: { oneOf: [result, error] }, example } },
  };
}
