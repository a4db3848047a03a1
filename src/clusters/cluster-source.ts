import { unwatchFile, watchFile } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { kubeconfigFiles, readKubeconfig } from '../kubernetes/index.ts';
import { GatewayError, invalidArgument, localPath, reasonOf } from '../protocol/index.ts';
import type { ClusterLog } from './cluster.ts';
import { parseClustersFile } from './clusters-file.ts';
import type { Registry } from './registry.ts';
import { type ClusterEntry, validateClusterName } from './upstreams/upstream.ts';

export interface ClusterSourceOptions {
  /** The clusters file. */
  readonly file: string | undefined;
  /** `all`, or names of contexts. */
  readonly kubeContexts: readonly string[];
  /** The kubeconfig of those contexts. Default: as kubectl. */
  readonly kubeconfig: string | undefined;
  readonly environment: NodeJS.ProcessEnv;
}

/** The configuration of the clusters, and its files: when one of them changes, it is read again. */
export interface ClusterSource {
  readonly files: readonly string[];
  /** @throws GatewayError that says what is wrong and where */
  read(): Promise<ClusterEntry[]>;
}

/** Bound on the clusters file. */
const maxFileBytes = 1024 * 1024;

/** The clusters of the file and of the kubeconfig's contexts together. */
export function createClusterSource(options: ClusterSourceOptions): ClusterSource {
  const { file, kubeContexts, kubeconfig, environment } = options;
  const files = file === undefined ? [] : [file];
  return {
    files: kubeContexts.length > 0 ? [...files, ...kubeconfigFiles(kubeconfig, environment)] : files,
    async read() {
      const fromFile = file === undefined ? [] : parseClustersFile(await readText(file), file);
      const fromContexts = kubeContexts.length > 0 ? await readContexts(options) : [];
      const taken = new Set(fromFile.map(({ name }) => name));
      const twice = fromContexts.find(({ name }) => taken.has(name));
      if (twice) throw invalidArgument(`${twice.name} is both in ${file} and a context of the kubeconfig`);
      return [...fromFile, ...fromContexts];
    },
  };
}

async function readText(file: string): Promise<string> {
  try {
    const { size } = await stat(localPath(file));
    if (size > maxFileBytes) throw invalidArgument(`${file} is larger than ${maxFileBytes} bytes`);
    return await readFile(file, 'utf8');
  } catch (cause) {
    if (cause instanceof GatewayError) throw cause;
    throw invalidArgument(`reading the clusters file ${file}: ${reasonOf(cause)}`, { cause });
  }
}

async function readContexts(options: ClusterSourceOptions): Promise<ClusterEntry[]> {
  const { kubeContexts, environment } = options;
  const kubeconfig = options.kubeconfig === undefined ? undefined : { file: options.kubeconfig };
  const { contexts } = await readKubeconfig(kubeconfig, environment);
  const known = [...contexts.keys()].filter(name => name !== '');
  const unknown = kubeContexts.find(name => name !== 'all' && !known.includes(name));
  if (unknown !== undefined) {
    throw invalidArgument(
      `the kubeconfig has no context ${JSON.stringify(unknown)}, only ${known.join(', ')}`,
    );
  }
  const wanted = kubeContexts.includes('all') ? known : kubeContexts;
  return [...new Set(wanted)].map(name => ({ name: validateClusterName(name), kubeconfig, context: name }));
}

/** The mistake in the configuration that was read last; the one before stays in force. */
export interface SourceProblem {
  readonly since: string;
  readonly message: string;
}

export interface UpToDate {
  /** The mistake in the version that was read last. */
  problem(): { readonly problem?: SourceProblem };
  stop(): void;
}

const defaultIntervalMs = 2_000;

/**
 * Reads the clusters, and again whenever a file changes; waiting for that keeps no process alive. A version with a mistake
 * leaves the one before in force and is reported in the log and by `problem`.
 * @throws GatewayError where the first version has a mistake
 */
export async function keepUpToDate(
  source: ClusterSource,
  registry: Registry,
  log: ClusterLog,
  intervalMs = defaultIntervalMs,
): Promise<UpToDate> {
  registry.update(await source.read());
  let problem: SourceProblem | undefined;
  let reading = Promise.resolve();
  const read = async () => {
    try {
      const entries = await source.read();
      registry.update(entries);
      problem = undefined;
      log('info', 'the clusters were read anew', { clusters: entries.length });
    } catch (thrown) {
      const { message } = GatewayError.from(thrown);
      problem = { since: new Date().toISOString(), message };
      log('error', 'the new clusters cannot be used; the old ones stay', { error: thrown });
    }
  };
  const onChange = () => {
    reading = reading.then(read); // one after the other, so that an older version never comes out on top
  };
  // polled: files of a mounted Secret are replaced through a symbolic link, which no notification of them would show
  for (const file of source.files) watchFile(file, { interval: intervalMs, persistent: false }, onChange);
  return {
    problem: () => (problem ? { problem } : {}),
    stop() {
      for (const file of source.files) unwatchFile(file, onChange);
    },
  };
}
