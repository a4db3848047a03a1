import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, dirname, isAbsolute, join, resolve } from 'node:path';
import { parse, YAMLParseError } from 'yaml';
import { reasonOf, unavailable } from '../../protocol/index.ts';
import type { KubeconfigDocument, KubeconfigUser, SelectedContext } from './kubeconfig-document.ts';

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

function parseDocument(text: string, what: string): KubeconfigDocument {
  const document = parseYaml(text, what);
  if (document === null) return {};
  if (typeof document !== 'object') throw unavailable(`${what} is not a mapping`);
  for (const list of ['clusters', 'users', 'contexts'] as const) {
    const entries: unknown = (document as KubeconfigDocument)[list] ?? [];
    if (!Array.isArray(entries) || !entries.every(entry => typeof entry?.name === 'string')) {
      throw unavailable(`${what}: ${list} is not a list of named entries`);
    }
  }
  return document;
}

function parseYaml(text: string, what: string): unknown {
  try {
    return parse(text, { prettyErrors: false, logLevel: 'error' });
  } catch (error) {
    // the parser's own message may quote the text, and with it a token
    const where = error instanceof YAMLParseError ? ` at byte ${error.pos[0]}` : '';
    throw unavailable(`${what} is not YAML${where}`);
  }
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
