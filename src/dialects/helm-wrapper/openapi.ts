import { optionTables } from './read-options.ts';

type Schema = Readonly<Record<string, unknown>>;

/** What the OpenAPI document says of a route. */
export interface Description {
  /** Parameters of the query, with what they are. */
  readonly query?: Readonly<Record<string, string>>;
  /** The table of the options that a body holds. */
  readonly options?: keyof typeof optionTables;
  /** A file of a form, by its field. */
  readonly upload?: string;
  /** What `data` may be in an answer; without it an answer has none. */
  readonly data?: unknown;
}

const schemas = {
  bool: { type: 'boolean' },
  string: { type: 'string' },
  int: { type: 'integer' },
  '[]string': { type: 'array', items: { type: 'string' } },
  'time.Duration': { type: ['string', 'integer'], description: '`5m0s`, or nanoseconds as a number' },
} as const satisfies Record<string, Schema>;

const releasePath = '/api/namespaces/{namespace}/releases';
const clusterParameters: Readonly<Record<string, string>> = {
  kube_context: 'Name of the cluster, as `GET /clusters` lists them.',
  kube_config: "Path of a kubeconfig that the gateway's configuration names.",
};

/** The operation of a route. */
export function describe(verb: string, template: string, text: Description & { summary: string }): Schema {
  const { summary, query = {}, options, upload, data } = text;
  const fields = [...template.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: schemas.string,
  }));
  const all = { ...query, ...(template.startsWith(releasePath) && clusterParameters) };
  const parameters = Object.entries(all).map(([name, description]) => ({
    name,
    in: 'query',
    description,
    schema: schemas.string,
  }));
  const success = { code: 0, ...(data !== undefined && { data }) };
  return {
    operationId: `HelmWrapper${verb}${template.replace(/\W+(\w?)/g, (_, letter: string) => letter.toUpperCase())}`,
    tags: ['helm-wrapper'],
    summary,
    parameters: [...fields, ...parameters, ...(options && verb === 'GET' ? toParameters(options) : [])],
    ...(options &&
      verb !== 'GET' && { requestBody: { content: { 'application/json': { schema: toSchema(options) } } } }),
    ...(upload !== undefined && {
      requestBody: {
        content: {
          'multipart/form-data': {
            schema: {
              type: 'object',
              required: [upload],
              properties: { [upload]: { type: 'string', contentMediaType: 'application/gzip' } },
            },
          },
        },
      },
    }),
    responses: {
      200: {
        description: 'The answer, also where it is an error: `code` is 1 then, and `error` says why.',
        content: {
          'application/json': {
            schema: envelope,
            examples: {
              success: { value: success },
              error: { value: { code: 1, error: 'release: not found' } },
            },
          },
        },
      },
    },
  };
}

const envelope: Schema = {
  type: 'object',
  required: ['code'],
  properties: { code: { enum: [0, 1] }, data: {}, error: { type: 'string' } },
};

/** OpenAPI knows no body of GET, which helm-wrapper takes; the same options are read from the query. */
function toParameters(table: keyof typeof optionTables): Schema[] {
  return Object.entries(optionTables[table]).map(([name, kind]) => ({
    name,
    in: 'query',
    schema: schemas[kind as keyof typeof schemas],
  }));
}

function toSchema(table: keyof typeof optionTables): Schema {
  const properties = Object.entries(optionTables[table]).map(([name, kind]) => [
    name,
    schemas[kind as keyof typeof schemas],
  ]);
  return { type: 'object', properties: Object.fromEntries(properties) };
}
