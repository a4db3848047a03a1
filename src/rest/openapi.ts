import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CORE_SCHEMA, load, mergeTag } from 'js-yaml';
import {
  type EnumType,
  type Field,
  isReadOnly,
  type MessageType,
  type Method,
  protoFolder,
  type ScalarType,
} from '../codec/index.ts';
import { type Route, sendJson } from '../http/index.ts';
import { Code, errorToHttpStatus, type Reason, reasons } from '../protocol/index.ts';
import { isLive } from '../releases/index.ts';
import { isPicture, type ReleaseRoute, takesArchive } from './release-routes.ts';
import { isMessage } from './request-message.ts';
import { textAnswersOf } from './text-answers.ts';

/** A JSON Schema (2020-12), as OpenAPI 3.1 uses it, or another part of the document. */
type Schema = Record<string, unknown>;

/** What the document says beyond the contract: `proto/swift/v2/openapi.yaml`, which says what each part is for. */
interface Texts {
  readonly document: {
    readonly info: Schema;
    readonly tags: readonly Schema[];
    readonly components: { readonly parameters: Readonly<Record<string, Schema>> };
  };
  readonly serversOfClusters: readonly Schema[];
  readonly lastEventId: Schema;
  readonly serverSentEvents: Schema;
  readonly picture: Schema;
  readonly errorSchema: { readonly properties: Schema };
  readonly errors: Readonly<Record<string, ErrorText>>;
  readonly pages: Readonly<Record<string, PageText>>;
  readonly examples: Readonly<Record<string, { readonly request?: unknown; readonly response: unknown }>>;
}

/** An error of an operation, with its code's name. */
interface ErrorText {
  readonly code: keyof typeof Code;
  readonly description: string;
  readonly message: string;
  readonly step?: string;
}

/** The answer of a route that is not in the contract. */
interface PageText {
  readonly type?: string;
  readonly schema?: Schema;
  readonly example: string | object;
  readonly parameters?: readonly Schema[];
}

let known: Texts | undefined;

/** Read with the first document, since most gateways are never asked for one. */
function texts(): Texts {
  const text = () => readFileSync(join(protoFolder, 'swift', 'v2', 'openapi.yaml'), 'utf8');
  known ??= load(text(), { schema: CORE_SCHEMA.withTags(mergeTag) }) as Texts;
  return known;
}

/** The route of the document, which has it as well; it is written when somebody first asks for it. */
export function openApiRoute(
  releases: readonly ReleaseRoute[],
  others: readonly Route[],
  version: string,
): Route {
  let json: Buffer | undefined;
  const route: Route = {
    template: '/openapi.json',
    verbs: ['GET'],
    summary: 'This document.',
    answer(exchange) {
      json ??= createOpenApi(releases, [...others, route], version);
      return sendJson(exchange, json);
    },
  };
  return route;
}

/**
 * The OpenAPI 3.1 document of the routes, generated from the descriptors: names, types and descriptions are those of
 * the .proto files. Its server is relative, so that it works behind any path prefix.
 */
export function createOpenApi(
  releases: readonly ReleaseRoute[],
  others: readonly Route[],
  version: string,
): Buffer {
  const schemas = new SchemaCollector();
  const paths: Record<string, Record<string, unknown>> = {};
  const hasClusters = others.some(({ template }) => template === '/clusters');
  const servers = hasClusters ? { servers: texts().serversOfClusters } : {};
  for (const route of releases) {
    const { path, verb } = route.binding;
    paths[path] = {
      ...paths[path],
      [verb.toLowerCase()]: { ...operation(route, schemas), ...servers },
    };
  }
  for (const { template, summary, operation: given, verbs } of others) {
    const operations = given
      ? verbs.map(verb => [verb.toLowerCase(), { ...given, ...servers }])
      : [['get', pageOperation(template, summary)]];
    paths[template] = { ...paths[template], ...Object.fromEntries(operations) };
  }
  const { document, errorSchema } = texts();
  const { info, tags, components } = document;
  const reason = {
    type: 'string',
    enum: Object.keys(reasons),
    description: Object.entries(reasons)
      .map(([name, meaning]) => `- \`${name}\`: ${meaning}`)
      .join('\n'),
  };
  const hasHelmWrapper = others.some(({ operation }) => operation?.tags);
  const whole = {
    ...document,
    info: { ...info, version },
    tags: hasHelmWrapper ? [...tags, { name: 'helm-wrapper' }] : tags,
    paths,
    components: {
      ...components,
      schemas: {
        Error: { ...errorSchema, properties: { ...errorSchema.properties, reason } },
        ...schemas.schemas,
      },
    },
  };
  return Buffer.from(JSON.stringify(whole));
}

function operation(route: ReleaseRoute, schemas: SchemaCollector): Schema {
  const { contract, binding } = route;
  const inPath = contract.request.fields.filter(field => binding.path.includes(`{${field.name}}`));
  const inQuery = contract.request.fields.filter(
    field => !inPath.includes(field) && !field.map && !isMessage(field.type),
  );
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
      ...(binding.body ? [] : inQuery.map(field => parameter(field, 'query', schemas))),
      ...(isLive(contract) ? [texts().lastEventId] : []),
      ...Object.keys(texts().document.components.parameters).map(name => ({
        $ref: `#/components/parameters/${name}`,
      })),
    ],
    ...(binding.body && { requestBody: requestBody(contract, schemas) }),
    responses: {
      '200': isPicture(binding) ? texts().picture : success(contract, schemas),
      ...errorResponses(route, inPath.length > 0),
    },
  };
}

/** The error responses of an operation, by HTTP status: of several with one status the last counts. */
function errorResponses(
  { contract, binding }: ReleaseRoute,
  hasFieldInPath: boolean,
): Record<string, Schema> {
  const writes = !isReadOnly(contract);
  const isOfCharts = tagOf(binding.path) === 'charts';
  const isOfRelease = !isOfCharts && (hasFieldInPath || contract.name === 'InstallRelease');
  const isUpload = binding.path.includes('/uploads/');
  const cases: readonly (readonly [isThere: boolean, ...Reason[]])[] = [
    [true, 'INVALID_REQUEST'],
    [writes, 'FORBIDDEN'],
    [isOfRelease, 'RELEASE_NOT_FOUND'],
    [isOfCharts, 'CHART_NOT_FOUND'],
    [writes && !isUpload, 'RELEASE_EXISTS'],
    [isUpload, 'NOT_SUPPORTED'],
    [isUpload && binding.body, 'CHART_EXISTS', 'UPLOADS_FULL'],
    [binding.body, 'BODY_TOO_LARGE'],
    [isLive(contract), 'RECORDS_UNAVAILABLE', 'OVERLOADED'],
    [true, 'UPSTREAM_FAILED', 'UPSTREAM_UNREACHABLE', 'DEADLINE_EXCEEDED'],
  ];
  const responses = cases.flatMap(([isThere, ...reasons]) => (isThere ? reasons.map(errorResponse) : []));
  return Object.fromEntries(responses);
}

function errorResponse(reason: Reason): [status: string, response: Schema] {
  const { code: name, description, message, step } = texts().errors[reason]!;
  const code = Code[name];
  const example = { code, message, reason, ...(step !== undefined && { step }) };
  const schema = { $ref: '#/components/schemas/Error' };
  return [
    String(errorToHttpStatus({ code, reason })),
    { description: `${name}: ${description}`, content: { 'application/json': { schema, example } } },
  ];
}

/** A route that is not in the contract. */
function pageOperation(template: string, summary: string): Schema {
  const page = texts().pages[template];
  if (!page) throw new Error(`the OpenAPI document has no answer of ${template}`);
  const { example, schema = schemaOf(example), parameters = [] } = page;
  const type = page.type ?? (typeof example === 'string' ? 'text/plain' : 'application/json');
  return {
    operationId: `Get${template.replace(/(?:^|\W+)(\w?)/g, (_, letter: string) => letter.toUpperCase())}`,
    tags: [template.startsWith('/clusters') ? 'clusters' : 'gateway'],
    summary,
    parameters,
    responses: { '200': { description: 'The answer.', content: { [type]: { schema, example } } } },
  };
}

/** As deep as one look at the example goes. */
function schemaOf(example: string | object): Schema {
  if (typeof example === 'string') return { type: 'string' };
  const properties = Object.entries(example).map(([name, value]) => [
    name,
    { type: Array.isArray(value) ? 'array' : typeof value },
  ]);
  return { type: 'object', properties: Object.fromEntries(properties), additionalProperties: true };
}

function tagOf(path: string): string {
  return path.includes('/releases/')
    ? 'releases'
    : /\/(charts|repositories)\//.test(path)
      ? 'charts'
      : 'tiller';
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
      'application/json': { schema, example: texts().examples[contract.name]?.request ?? {} },
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

function success(contract: Method, schemas: SchemaCollector): Schema {
  const message = schemas.message(contract.response);
  const example = texts().examples[contract.name]?.response;
  if (!contract.serverStreaming) {
    const others = textAnswersOf(contract, example).map(([type, text]) => [
      type,
      { schema: { type: 'string' }, example: text },
    ]);
    return {
      description: 'The answer.',
      content: { 'application/json': { schema: message, example }, ...Object.fromEntries(others) },
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
    content: isLive(contract) ? { ...lines, 'text/event-stream': texts().serverSentEvents } : lines,
  };
}

const scalars: Readonly<Partial<Record<ScalarType, Schema>>> = {
  bool: { type: 'boolean' },
  string: { type: 'string' },
  bytes: { type: 'string', contentEncoding: 'base64' },
  int32: { type: 'integer', format: 'int32' },
  uint32: { type: 'integer', format: 'uint32', minimum: 0 },
  double: { type: 'number', format: 'double' },
};

/** Messages whose JSON is not an object with their fields. */
const wellKnown: Readonly<Record<string, Schema>> = {
  'google.protobuf.Timestamp': { type: 'string', format: 'date-time' },
  'google.protobuf.Struct': { type: 'object', additionalProperties: true },
};

/** Collects the schemas of the messages and enums that a document refers to, each once. */
class SchemaCollector {
  readonly schemas: Record<string, Schema> = {};

  /** A reference to a message's schema, which is added with everything it holds. */
  message(type: MessageType): Schema {
    const known = wellKnown[type.name];
    if (known) return known;
    if (!this.schemas[type.name]) {
      const properties: Record<string, Schema> = {};
      this.schemas[type.name] = {
        type: 'object',
        ...(type.comment && { description: type.comment }),
        properties,
      };
      const isRequest = type.name.endsWith('Request');
      for (const field of type.fields) properties[field.name] = this.field(field, isRequest);
    }
    return { $ref: `#/components/schemas/${type.name}` };
  }

  /**
   * The schema of a field with its description.
   * @param read true where the value is read: 64-bit integers may then be numbers as well as strings
   */
  field(field: Field, read: boolean): Schema {
    const item = this.#value(field.type, read);
    const schema = field.map
      ? { type: 'object', additionalProperties: item }
      : field.repeated
        ? { type: 'array', items: item }
        : item;
    return field.comment ? { ...schema, description: field.comment } : schema;
  }

  #value(type: Field['type'], read: boolean): Schema {
    if (typeof type === 'object')
      return type.kind === 'message' ? this.message(type) : this.#enumeration(type);
    if (type === 'int64') return { type: read ? ['string', 'integer'] : 'string', format: 'int64' };
    const schema = scalars[type];
    if (!schema) throw new Error(`the contract has no field of type ${type}`);
    return schema;
  }

  #enumeration(type: EnumType): Schema {
    this.schemas[type.name] ??= { type: 'string', enum: [...type.numbers.keys()] };
    return { $ref: `#/components/schemas/${type.name}` };
  }
}
