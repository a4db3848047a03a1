import { constants } from 'node:fs';
import { access, readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, dirname, isAbsolute, join, resolve } from 'node:path';
import { GatewayError, localPath, reasonOf, unavailable } from '../protocol/index.ts';
import { parseYaml, readYamlTree, type YamlValue } from '../yaml/index.ts';
import { parseProxy } from './proxy.ts';
import { readFields, type Value, withTypeNames } from './typed-fields.ts';

const extensions = { named: ['extension', 'anything'] } as const;

/** How a server is reached; an `ExecCredential` says it in the same fields. */
export const serverFields = {
  server: 'text',
  'tls-server-name': 'text',
  'insecure-skip-tls-verify': 'boolean',
  'certificate-authority-data': 'base64',
  'proxy-url': 'text',
  'disable-compression': 'boolean',
} as const;

const cluster = { fields: { ...serverFields, 'certificate-authority': 'text', extensions } } as const;

/** A program that prints an `ExecCredential`. Source: https://kubernetes.io/docs/reference/config-api/client-authentication.v1/ */
const exec = {
  fields: {
    command: 'text',
    args: { list: 'text' },
    env: { list: { fields: { name: 'text', value: 'text' } } },
    apiVersion: 'text',
    installHint: 'text',
    provideClusterInfo: 'boolean',
    interactiveMode: 'text',
  },
} as const;

const user = {
  fields: {
    'client-certificate': 'text',
    'client-certificate-data': 'base64',
    'client-key': 'text',
    'client-key-data': 'base64',
    token: 'text',
    tokenFile: 'text',
    as: 'text',
    'as-uid': 'text',
    'as-groups': { list: 'text' },
    'as-user-extra': { map: { list: 'text' } },
    username: 'text',
    password: 'text',
    'auth-provider': { optional: { fields: { name: 'text', config: { map: 'text' } } } },
    exec: { optional: exec },
    extensions,
  },
} as const;

const context = { fields: { cluster: 'text', user: 'text', namespace: 'text', extensions } } as const;

/** Every field of a kubeconfig and its type. Source: https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/ */
const kubeconfig = {
  fields: {
    kind: 'text',
    apiVersion: 'text',
    clusters: { named: ['cluster', cluster] },
    contexts: { named: ['context', context] },
    'current-context': 'text',
    extensions,
    preferences: { fields: { colors: 'boolean', extensions } },
    users: { named: ['user', user] },
  },
} as const;

/** An entry, and the file that it stands in, as messages name it. */
type WithOrigin<T> = T & { readonly origin: string };

export type KubeconfigCluster = WithOrigin<Value<typeof cluster>>;
export type KubeconfigUser = WithOrigin<Value<typeof user>>;
export type ExecEntry = Value<typeof exec>;

/** What is read of one or several kubeconfigs: every field is there, empty where the file has none; paths are absolute. */
export interface KubeconfigDocument {
  readonly clusters: ReadonlyMap<string, KubeconfigCluster>;
  readonly users: ReadonlyMap<string, KubeconfigUser>;
  readonly contexts: ReadonlyMap<string, Value<typeof context>>;
  readonly 'current-context': string;
}

export interface SelectedContext {
  /** As messages name it, such as `cluster "c" of the kubeconfig FILE`. */
  readonly clusterName: string;
  readonly userName: string;
  readonly cluster: KubeconfigCluster;
  readonly user: KubeconfigUser;
}

/** Where the kubeconfig comes from: a file, or its text (paths in it must be absolute then). */
export type KubeconfigSource = { readonly file: string } | { readonly contents: string };

/** A kubeconfig is a few kilobytes; the bound keeps a wrong file from filling the memory. */
const yamlBounds = { maxLength: 4 * 1024 * 1024, maxNodes: 200_000 };

/** Where kubectl looks for kubeconfigs: the given file, else the files of `KUBECONFIG`, else `~/.kube/config`. */
export function kubeconfigFiles(file: string | undefined, environment: NodeJS.ProcessEnv): readonly string[] {
  if (file !== undefined) return [file];
  if (!environment.KUBECONFIG) return [join(environment.HOME ?? homedir(), '.kube', 'config')];
  return [...new Set(environment.KUBECONFIG.split(delimiter))].filter(name => name !== '');
}

/**
 * Reads a kubeconfig as kubectl does. Of the files of `KUBECONFIG`, and where nothing is given, missing ones are skipped;
 * of entries with the same name the first file's counts, whole; relative paths are relative to the file they stand in.
 * @throws GatewayError UNAVAILABLE that names file and field, and never shows what is in it
 */
export async function readKubeconfig(
  source: KubeconfigSource | undefined,
  environment: NodeJS.ProcessEnv,
): Promise<KubeconfigDocument> {
  if (source && 'contents' in source)
    return parseDocument(source.contents, 'the given kubeconfig', path => path);
  const files = kubeconfigFiles(source?.file, environment);
  const documents = await Promise.all(files.map(file => readFromFile(file, source === undefined)));
  return merge(documents.filter(document => document !== undefined));
}

async function readFromFile(file: string, mayBeMissing: boolean): Promise<KubeconfigDocument | undefined> {
  let bytes: Buffer;
  try {
    bytes = await readFile(localPath(file));
  } catch (cause) {
    if (mayBeMissing && (cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw unavailable(`reading the kubeconfig ${file}: ${reasonOf(cause)}`, { cause });
  }
  const what = `the kubeconfig ${file}`;
  const folder = dirname(resolve(file));
  const absolute = (path: string) =>
    path === '' ? path : localPath(isAbsolute(path) ? path : join(folder, path));
  return parseDocument(decodeText(bytes, what), what, absolute);
}

/** As YAML wants it: UTF-16 by its byte order mark, else UTF-8; nothing that is neither. */
function decodeText(bytes: Buffer, what: string): string {
  const mark = bytes.toString('latin1', 0, 2);
  const encoding = mark === '\xfe\xff' ? 'utf-16be' : mark === '\xff\xfe' ? 'utf-16le' : 'utf-8';
  try {
    const text = new TextDecoder(encoding, { fatal: true, ignoreBOM: true }).decode(bytes);
    // a second mark is part of the first key for kubectl, and would be skipped here
    if (!text.startsWith('\ufeff\ufeff')) return text;
    throw new Error('two byte order marks');
  } catch (cause) {
    throw unavailable(`${what} is not text in ${encoding.toUpperCase()}`, { cause });
  }
}

/** @param absolute makes a path of the document absolute */
function parseDocument(text: string, what: string, absolute: (path: string) => string): KubeconfigDocument {
  const document = readFields(withTypeNames(parseText(text, what)), kubeconfig, problem => {
    throw unavailable(`${what}: ${problem}`);
  });
  const { apiVersion, kind, clusters, users } = document;
  if (!/^(?:\/|\/?v1)?$/.test(apiVersion) || (kind || 'Config') !== 'Config') {
    throw unavailable(`${what}: apiVersion and kind are not those of a kubeconfig, v1 and Config`);
  }
  return {
    ...document,
    clusters: mapValues(clusters, cluster => ({
      ...cluster,
      origin: what,
      'certificate-authority': absolute(cluster['certificate-authority']),
    })),
    users: mapValues(users, user => ({
      ...user,
      origin: what,
      'client-certificate': absolute(user['client-certificate']),
      'client-key': absolute(user['client-key']),
      tokenFile: absolute(user.tokenFile),
      // a bare command is looked up in PATH; only with a slash is it a path
      exec: user.exec?.command.includes('/')
        ? { ...user.exec, command: absolute(user.exec.command) }
        : user.exec,
    })),
  };
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

function mapValues<T, U>(map: ReadonlyMap<string, T>, change: (value: T) => U): ReadonlyMap<string, U> {
  return new Map([...map].map(([key, value]) => [key, change(value)]));
}

function merge(documents: readonly KubeconfigDocument[]): KubeconfigDocument {
  const firstOfEach = <T>(maps: readonly ReadonlyMap<string, T>[]) => {
    const result = new Map<string, T>();
    for (const [name, entry] of maps.flatMap(map => [...map])) if (!result.has(name)) result.set(name, entry);
    return result;
  };
  return {
    clusters: firstOfEach(documents.map(({ clusters }) => clusters)),
    users: firstOfEach(documents.map(({ users }) => users)),
    contexts: firstOfEach(documents.map(({ contexts }) => contexts)),
    'current-context': documents.map(document => document['current-context']).find(name => name !== '') ?? '',
  };
}

const noUser: KubeconfigUser = {
  ...readFields(null, user, problem => {
    throw new Error(problem);
  }),
  origin: 'the kubeconfig',
};

/**
 * The context of that name, or the current one, with its cluster and user. As in kubectl, names that are left out are
 * empty ones, which an entry without a name has; and a user that is not there is one without credentials.
 * @throws GatewayError UNAVAILABLE that names what is missing. Without a server kubectl turns to localhost:8080
 */
export function selectContext(document: KubeconfigDocument, wanted: string | undefined): SelectedContext {
  const name = wanted || document['current-context'];
  const context = document.contexts.get(name) ?? (name === '' ? { cluster: '', user: '' } : undefined);
  if (!context) throw unavailable(`the kubeconfig has no context ${JSON.stringify(name)}`);
  const cluster = document.clusters.get(context.cluster);
  if (!cluster?.server && name === '')
    throw unavailable('the kubeconfig has no current context: name one with --kube-context');
  if (!cluster?.server)
    throw unavailable(`the kubeconfig's context ${JSON.stringify(name)} has no cluster with a server`);
  const user = document.users.get(context.user) ?? noUser;
  return {
    clusterName: `cluster ${JSON.stringify(context.cluster)} of ${cluster.origin}`,
    userName: `user ${JSON.stringify(context.user)} of ${user.origin}`,
    cluster,
    user,
  };
}

/**
 * Refuses what kubectl refuses of a context before it looks at its server.
 * Source: https://github.com/kubernetes/client-go/blob/v0.35.2/tools/clientcmd/validation.go
 * @throws GatewayError UNAVAILABLE that names the field and the file that it stands in
 */
export async function requireUsable({
  cluster,
  user,
  clusterName,
  userName,
}: SelectedContext): Promise<void> {
  if (
    cluster['proxy-url'] !== '' &&
    !/^(?:http|https|socks5)$/.test(parseProxy(cluster['proxy-url'])?.scheme ?? '')
  )
    throw unavailable(`proxy-url of ${clusterName} is not a URL with http, https or socks5`);
  await requireFile(
    cluster['certificate-authority'],
    cluster['certificate-authority-data'],
    'certificate-authority',
    clusterName,
  );
  if (user['client-certificate'] || user['client-certificate-data'].length > 0) {
    if (!user['client-key'] && user['client-key-data'].length === 0)
      throw unavailable(`${userName} has a client-certificate without a client-key`);
    await requireFile(
      user['client-certificate'],
      user['client-certificate-data'],
      'client-certificate',
      userName,
    );
    await requireFile(user['client-key'], user['client-key-data'], 'client-key', userName);
  }
  requireUsablePlugin(user, userName);
  if ((user.username || user.password) && user.token)
    throw unavailable(`${userName} has both a token and a username or password`);
  const isImpersonating = user['as-uid'] || user['as-groups'].length > 0 || user['as-user-extra'].size > 0;
  if (isImpersonating && !user.as)
    throw unavailable(`${userName} has as-uid, as-groups or as-user-extra without as`);
}

/** @param data what may stand in place of the file, in the field `NAME-data` */
async function requireFile(file: string, data: Buffer, name: string, owner: string): Promise<void> {
  if (file === '') return;
  if (data.length > 0) throw unavailable(`${owner} has both ${name} and ${name}-data`);
  await access(file, constants.R_OK).catch(cause => {
    throw unavailable(`reading ${file}, the ${name} of ${owner}: ${reasonOf(cause)}`, { cause });
  });
}

function requireUsablePlugin(user: KubeconfigUser, userName: string): void {
  const { exec } = user;
  if (!exec) return;
  const refuse = (problem: string): GatewayError => unavailable(`exec of ${userName} ${problem}`);
  if (user['auth-provider']) throw refuse('stands beside an auth-provider');
  if (exec.command === '') throw refuse('has no command');
  if (exec.apiVersion === '') throw refuse('has no apiVersion');
  if (exec.env.some(({ name }) => name === '')) throw refuse('has a variable in env without a name');
  const hasDefault = /^client\.authentication\.k8s\.io\/v1(?:alpha1|beta1)$/.test(exec.apiVersion);
  const modes = ['Never', 'IfAvailable', 'Always', ...(hasDefault ? [''] : [])];
  if (!modes.includes(exec.interactiveMode))
    throw refuse(`has no interactiveMode of ${modes.slice(0, 3).join(', ')}`);
}
