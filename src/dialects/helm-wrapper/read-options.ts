import { JsonReader, parseBoolean } from '../../codec/index.ts';
import type { Exchange } from '../../http/index.ts';
import { type CallContext, headerOf, invalidArgument, whereItFits } from '../../protocol/index.ts';
import { parseDuration } from './go-texts.ts';

/** The types of options, by their names in Go; a duration is text such as `5m0s` or a number of nanoseconds. */
interface Types {
  bool: boolean;
  string: string;
  int: number;
  '[]string': readonly string[];
  'time.Duration': number;
}

type Kind = keyof Types;
type Table = Readonly<Record<string, Kind>>;
export type OptionsOf<T extends Table> = { readonly [K in keyof T]: Types[T[K]] };

const changing = {
  dry_run: 'bool',
  disable_hooks: 'bool',
  wait: 'bool',
  timeout: 'time.Duration',
} as const satisfies Table;

/** The options of each request, under the names that helm-wrapper has for them in its code, which its errors show. */
export const optionTables = {
  releaseListOptions: {
    all: 'bool',
    all_namespaces: 'bool',
    by_date: 'bool',
    sort_reverse: 'bool',
    limit: 'int',
    offset: 'int',
    filter: 'string',
    uninstalled: 'bool',
    superseded: 'bool',
    uninstalling: 'bool',
    deployed: 'bool',
    failed: 'bool',
    pending: 'bool',
  },
  releaseUninstallOptions: {
    ...changing,
    ignore_not_found: 'bool',
    keep_history: 'bool',
    delete_propagation: 'string',
    description: 'string',
  },
  releaseOptions: {
    ...changing,
    devel: 'bool',
    description: 'string',
    atomic: 'bool',
    skip_crds: 'bool',
    sub_notes: 'bool',
    wait_for_jobs: 'bool',
    disable_open_api_validation: 'bool',
    values: 'string',
    set: '[]string',
    set_string: '[]string',
    create_namespace: 'bool',
    dependency_update: 'bool',
    install: 'bool',
    history_max: 'int',
    force: 'bool',
    recreate: 'bool',
    reuse_values: 'bool',
    cleanup_on_fail: 'bool',
    ca_file: 'string',
    cert_file: 'string',
    key_file: 'string',
    insecure_skip_verify: 'bool',
    keyring: 'string',
    password: 'string',
    repo: 'string',
    username: 'string',
    verify: 'bool',
    version: 'string',
  },
  repository: { name: 'string', url: 'string', username: 'string', password: 'string' },
} as const satisfies Record<string, Table>;

export type OptionTables = typeof optionTables;

const zeros: Types = { bool: false, string: '', int: 0, '[]string': [], 'time.Duration': 0 };

/** Bound on what a query may hold, as for the routes of the contract. */
const maxParameters = 1000;

/**
 * The options of a request: of its body, also with GET, and of its query, which the body overrules. Only the names of the
 * table are read.
 * @throws GatewayError INVALID_ARGUMENT with Go's text for a value of another type
 */
export async function readOptions<N extends keyof OptionTables>(
  exchange: Exchange,
  name: N,
  maxBytes: number,
  { signal }: CallContext,
): Promise<OptionsOf<OptionTables[N]>> {
  const { request, query, hold } = exchange;
  const encoding = headerOf(request, 'content-encoding') ?? 'identity';
  if (encoding !== 'identity') throw invalidArgument('Content-Encoding is not supported for requests');
  const body = await exchange.readBody(maxBytes);
  const table: Table = optionTables[name];
  const defaults = Object.fromEntries(Object.entries(table).map(([key, kind]) => [key, zeros[kind]]));
  const job = { what: 'the request body', bytes: body.length, signal, hold, move: true };
  const given = body.length === 0 ? {} : await parseWhereItFits(job, name, body);
  return { ...defaults, ...fromQuery(name, query), ...given } as OptionsOf<OptionTables[N]>;
}

/**
 * The options that a body names. Names are matched in any case, as Go does. May run in a thread.
 * @throws GatewayError INVALID_ARGUMENT
 */
export function parseOptions(name: keyof OptionTables, body: Uint8Array): Record<string, unknown> {
  const table: Table = optionTables[name];
  const options: Record<string, unknown> = {};
  const reader = new JsonReader(Buffer.from(body.buffer, body.byteOffset, body.byteLength));
  const kind = reader.peek();
  if (kind === 'null') reader.literal('null');
  else if (kind !== 'object')
    throw invalidArgument(`json: cannot unmarshal ${goKind(kind)} into Go value of type main.${name}`);
  else {
    reader.object(key => {
      const field = key.toLowerCase();
      const type = Object.hasOwn(table, field) ? table[field] : undefined;
      if (type === undefined) return reader.skip();
      const value = readValue(reader, type, `${name}.${field}`);
      if (value !== undefined) options[field] = value;
    });
  }
  reader.end();
  return options;
}

const parseWhereItFits = whereItFits(import.meta.url, parseOptions);

/** @returns undefined for `null`, which leaves a value as it is */
function readValue(reader: JsonReader, type: Kind, path: string): unknown {
  const kind = reader.peek();
  const refuse = (given: string, of: string = type) =>
    invalidArgument(`json: cannot unmarshal ${given} into Go struct field ${path} of type ${of}`);
  if (kind === 'null') {
    reader.literal('null');
    return undefined;
  }
  if (type === '[]string') {
    if (kind !== 'array') throw refuse(goKind(kind));
    const items: string[] = [];
    reader.array(() => void items.push(String(readValue(reader, 'string', path) ?? '')));
    return items;
  }
  if (type === 'bool') {
    if (kind !== 'true' && kind !== 'false') throw refuse(goKind(kind));
    reader.literal(kind);
    return kind === 'true';
  }
  if (kind === 'string' && type !== 'int') {
    const text = reader.string();
    return type === 'string' || text === '' ? text || zeros[type] : parseDuration(text);
  }
  if (kind !== 'number' || type === 'string') throw refuse(goKind(kind));
  const digits = reader.number();
  if (!Number.isSafeInteger(Number(digits)) || !/^-?\d+$/.test(digits))
    throw refuse(`number ${digits.slice(0, 40)}`);
  return Number(digits);
}

function goKind(kind: string): string {
  return kind === 'true' || kind === 'false' ? 'bool' : kind;
}

function fromQuery(name: keyof OptionTables, query: URLSearchParams): Record<string, unknown> {
  const table: Table = optionTables[name];
  const options: Record<string, unknown> = {};
  let count = 0;
  for (const [key, text] of query) {
    if (++count > maxParameters) throw invalidArgument(`the query has more than ${maxParameters} parameters`);
    const type = Object.hasOwn(table, key) ? table[key] : undefined;
    if (type === '[]string') options[key] = [...((options[key] as string[]) ?? []), text];
    else if (type !== undefined && text !== '') options[key] = parseParameter(type, text, key);
  }
  return options;
}

function parseParameter(type: Exclude<Kind, '[]string'>, text: string, key: string): unknown {
  if (type === 'string') return text;
  if (type === 'bool') return parseBoolean(text, key);
  if (type === 'time.Duration' && !/^-?\d+$/.test(text)) return parseDuration(text);
  if (!/^-?\d{1,15}$/.test(text)) throw invalidArgument(`${key}: expected a whole number`);
  return Number(text);
}
