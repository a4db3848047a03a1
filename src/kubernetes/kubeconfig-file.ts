import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, dirname, isAbsolute, join, resolve } from 'node:path';
import { GatewayError, reasonOf, unavailable } from '../protocol/index.ts';
import { parseYaml, readYamlTree, type YamlValue } from '../yaml/index.ts';

/** A kubeconfig as it stands in the file. Source: https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/ */
export interface KubeconfigDocument {
  readonly clusters?: readonly { readonly name: string; readonly cluster?: KubeconfigCluster }[];
  readonly users?: readonly { readonly name: string; readonly user?: KubeconfigUser }[];
  readonly contexts?: readonly { readonly name: string; readonly context?: KubeconfigContext }[];
  readonly 'current-context'?: string;
}

export interface KubeconfigCluster {
  readonly server?: string;
  readonly 'certificate-authority'?: string;
  readonly 'certificate-authority-data'?: string;
  readonly 'insecure-skip-tls-verify'?: boolean;
  readonly 'tls-server-name'?: string;
  readonly 'proxy-url'?: string;
}

export interface KubeconfigUser {
  readonly 'client-certificate'?: string;
  readonly 'client-certificate-data'?: string;
  readonly 'client-key'?: string;
  readonly 'client-key-data'?: string;
  readonly token?: string;
  readonly tokenFile?: string;
  readonly username?: string;
  readonly password?: string;
  readonly as?: string;
  readonly 'as-groups'?: readonly string[];
  readonly 'as-uid'?: string;
  readonly exec?: ExecEntry;
  readonly 'auth-provider'?: object;
}

/** A program that prints an `ExecCredential`. Source: https://kubernetes.io/docs/reference/config-api/client-authentication.v1/ */
export interface ExecEntry {
  readonly command: string;
  readonly args?: readonly string[];
  readonly env?: readonly { readonly name: string; readonly value: string }[];
  readonly apiVersion?: string;
  readonly provideClusterInfo?: boolean;
}

export interface KubeconfigContext {
  readonly cluster?: string;
  readonly user?: string;
  readonly namespace?: string;
}

/** One context with what it names. */
export interface SelectedContext {
  readonly name: string;
  readonly cluster: KubeconfigCluster & { readonly server: string };
  readonly user: KubeconfigUser;
}

/** Where the kubeconfig comes from: a file, or its text (paths in it must be absolute then). */
export type KubeconfigSource = { readonly file: string } | { readonly contents: string };

/**
 * Reads a kubeconfig as kubectl does: the given source, else the files of `KUBECONFIG`, else `~/.kube/config`. Of
 * entries with the same name the first file's wins; relative paths are relative to the file they stand in.
 * @throws GatewayError UNAVAILABLE that names the file, and never shows what is in it
 */
export async function readKubeconfig(
  source: KubeconfigSource | undefined,
  environment: NodeJS.ProcessEnv,
): Promise<KubeconfigDocument> {
  if (source && 'contents' in source) return parseDocument(source.contents, 'the given kubeconfig');
  if (source) return readFromFile(source.file);
  const files = environment.KUBECONFIG?.split(delimiter).filter(file => file !== '') ?? [];
  if (files.length === 0) return readFromFile(join(homedir(), '.kube', 'config'));
  return merge(await Promise.all(files.map(readFromFile)));
}

/**
 * The context of that name, or the current one, with its cluster and user.
 * @throws GatewayError UNAVAILABLE that names what is missing
 */
export function selectContext(document: KubeconfigDocument, wanted: string | undefined): SelectedContext {
  const name = wanted ?? document['current-context'];
  if (!name) throw unavailable('the kubeconfig has no current context: name one with --kube-context');
  const context = document.contexts?.find(entry => entry.name === name)?.context;
  if (!context) throw unavailable(`the kubeconfig has no context ${JSON.stringify(name)}`);
  const cluster = document.clusters?.find(entry => entry.name === context.cluster)?.cluster;
  const server = cluster?.server?.replace(/\/+$/, '');
  if (!cluster || !server)
    throw unavailable(`the kubeconfig's context ${JSON.stringify(name)} has no cluster with a server`);
  if (!/^https?:\/\/[^@]+$/.test(server) || !URL.canParse(server)) {
    throw unavailable(
      `the server of the kubeconfig's context ${JSON.stringify(name)} is not an http or https URL`,
    );
  }
  const entry = context.user ? document.users?.find(({ name }) => name === context.user) : { user: {} };
  if (!entry)
    throw unavailable(`the kubeconfig's context ${JSON.stringify(name)} names a user that is not there`);
  return { name, cluster: { ...cluster, server }, user: entry.user ?? {} };
}

async function readFromFile(file: string): Promise<KubeconfigDocument> {
  const text = await readFile(file, 'utf8').catch(cause => {
    throw unavailable(`reading the kubeconfig ${file}: ${reasonOf(cause)}`, { cause });
  });
  return withAbsolutePaths(parseDocument(text, `the kubeconfig ${file}`), dirname(resolve(file)));
}

/** A kubeconfig is a few kilobytes; the bound keeps a wrong file from filling the memory. */
const yamlBounds = { maxLength: 4 * 1024 * 1024, maxNodes: 200_000 };

/** What kubectl's types are for the fields that are read; those that are not listed are ignored, as kubectl does. */
type Shape =
  | 'text'
  | 'boolean'
  | 'texts by name'
  | { readonly list: Shape }
  | { readonly fields: Readonly<Record<string, Shape>> };

const fields = (texts: string, others: Readonly<Record<string, Shape>> = {}): Shape => ({
  fields: { ...Object.fromEntries(texts.split(' ').map(name => [name, 'text' as const])), ...others },
});
const named = (name: string, entry: Shape): Shape => ({ list: fields('name', { [name]: entry }) });

const documentShape = fields('current-context', {
  clusters: named(
    'cluster',
    fields('server certificate-authority certificate-authority-data tls-server-name proxy-url', {
      'insecure-skip-tls-verify': 'boolean',
    }),
  ),
  users: named(
    'user',
    fields(
      'client-certificate client-certificate-data client-key client-key-data token tokenFile username password as as-uid',
      {
        'as-groups': { list: 'text' },
        exec: fields('command apiVersion', {
          args: { list: 'text' },
          env: { list: fields('name value') },
          provideClusterInfo: 'boolean',
        }),
        'auth-provider': fields('name', { config: 'texts by name' }),
      },
    ),
  ),
  contexts: named('context', fields('cluster user namespace')),
});

/** As kubectl: YAML 1.1, the first document, and a value of another type than its field's is an error. */
function parseDocument(text: string, what: string): KubeconfigDocument {
  const document = withShape(parseText(text, what), documentShape, '', (path, expected) => {
    throw unavailable(path === '' ? `${what} is not a mapping` : `${what}: ${path} is not ${expected}`);
  }) as KubeconfigDocument | undefined;
  for (const list of ['clusters', 'users', 'contexts'] as const) {
    if (document?.[list]?.some(entry => entry?.name === undefined)) {
      throw unavailable(`${what}: ${list} is not a list of named entries`);
    }
  }
  return document ?? {};
}

function parseText(text: string, what: string): YamlValue {
  try {
    return parseYaml(text, yamlBounds);
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    // nothing of the text is shown, as it may be a token
    throw unavailable(`${what} is not YAML at line ${readYamlTree(text).problem?.line ?? 1}`);
  }
}

/** The value as plain objects, lists and scalars; null counts as left out. */
function withShape(
  value: YamlValue | undefined,
  shape: Shape,
  path: string,
  refuse: (path: string, expected: string) => never,
): unknown {
  if (value === undefined || value === null) return undefined;
  if (shape === 'text') return typeof value === 'string' ? value : refuse(path, 'a text');
  if (shape === 'boolean') return typeof value === 'boolean' ? value : refuse(path, 'true or false');
  if (typeof shape === 'object' && 'list' in shape) {
    if (!Array.isArray(value))
      return refuse(path, shape.list === 'text' ? 'a list of texts' : 'a list of named entries');
    return value.map((item, index) => withShape(item, shape.list, `${path}[${index}]`, refuse));
  }
  if (!(value instanceof Map)) return refuse(path, 'a mapping');
  const entries =
    shape === 'texts by name'
      ? [...value.keys()].map(key => [key, 'text'] as const)
      : Object.entries(shape.fields);
  const read = entries.map(
    ([name, inner]) =>
      [name, withShape(value.get(name), inner, path === '' ? name : `${path}.${name}`, refuse)] as const,
  );
  return Object.fromEntries(read.filter(([, result]) => result !== undefined));
}

function withAbsolutePaths(document: KubeconfigDocument, folder: string): KubeconfigDocument {
  const absolute = (path: string | undefined) => (path && !isAbsolute(path) ? join(folder, path) : path);
  const { clusters = [], users = [] } = document;
  return {
    ...document,
    clusters: clusters.map(({ name, cluster = {} }) => ({
      name,
      cluster: withPaths(cluster, ['certificate-authority'], absolute),
    })),
    users: users.map(({ name, user }) => ({ name, user: userWithAbsolutePaths(user ?? {}, absolute) })),
  };
}

function userWithAbsolutePaths(
  user: KubeconfigUser,
  absolute: (path: string | undefined) => string | undefined,
): KubeconfigUser {
  const result = withPaths(user, ['client-certificate', 'client-key', 'tokenFile'], absolute);
  // a bare name is looked up in PATH; only with a slash is it a path
  if (!result.exec?.command?.includes('/')) return result;
  return { ...result, exec: withPaths(result.exec, ['command'], absolute) };
}

function withPaths<T extends object>(
  entry: T,
  keys: readonly (keyof T & string)[],
  absolute: (path: string | undefined) => string | undefined,
): T {
  const paths = keys.filter(key => typeof entry[key] === 'string');
  return { ...entry, ...Object.fromEntries(paths.map(key => [key, absolute(entry[key] as string)])) };
}

function merge(documents: readonly KubeconfigDocument[]): KubeconfigDocument {
  // `find` takes the first of a name, so joining the lists is all there is to it
  const current = documents.map(document => document['current-context']).find(name => name);
  return {
    clusters: documents.flatMap(({ clusters = [] }) => clusters),
    users: documents.flatMap(({ users = [] }) => users),
    contexts: documents.flatMap(({ contexts = [] }) => contexts),
    ...(current ? { 'current-context': current } : {}),
  };
}
