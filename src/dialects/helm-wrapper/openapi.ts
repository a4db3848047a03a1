import { optionTables } from './read-options.ts';

type Schema = Readonly<Record<string, unknown>>;

/** What the OpenAPI document says of a route. */
export interface Description {
  /** One sentence. */
  readonly summary: string;
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
export function describe(verb: string, template: string, text: Description): Schema {
  const { summary, query = {}, options, upload, data } = text;
  const inQuery = { ...query, ...(template.startsWith(releasePath) && clusterParameters) };
  const kinds = Object.entries(options ? optionTables[options] : {});
  const optionSchemas = kinds.map(([name, kind]): [string, Schema] => [name, schemas[kind]]);
  const parameters = [
    ...[...template.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
      name,
      in: 'path',
      required: true,
      schema: schemas.string,
    })),
    ...Object.entries(inQuery).map(([name, description]) => ({
      name,
      in: 'query',
      description,
      schema: schemas.string,
    })),
    // OpenAPI knows no body of GET, which helm-wrapper takes; the same options are read from the query
    ...(verb === 'GET' ? optionSchemas.map(([name, schema]) => ({ name, in: 'query', schema })) : []),
  ];
  const body: Record<string, Schema> = {};
  if (options && verb !== 'GET')
    body['application/json'] = { type: 'object', properties: Object.fromEntries(optionSchemas) };
  if (upload !== undefined) {
    const properties = { [upload]: { type: 'string', contentMediaType: 'application/gzip' } };
    body['multipart/form-data'] = { type: 'object', required: [upload], properties };
  }
  const content = Object.entries(body).map(([type, schema]) => [type, { schema }]);
  const success = { code: 0, ...(data !== undefined && { data }) };
  return {
    operationId: `HelmWrapper${verb}${template.replace(/\W+(\w?)/g, (_, letter: string) => letter.toUpperCase())}`,
    tags: ['helm-wrapper'],
    summary,
    parameters,
    ...(content.length > 0 && { requestBody: { content: Object.fromEntries(content) } }),
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
