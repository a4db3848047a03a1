import { readFile, stat } from 'node:fs/promises';
import { kubeconfigFiles, readKubeconfig } from '../../kubernetes/index.ts';
import { GatewayError, invalidArgument, reasonOf } from '../../protocol/index.ts';
import { type ClusterEntry, validateClusterName } from '../entry/cluster-entry.ts';
import { parseClustersFile } from './clusters-file.ts';

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
    const { size } = await stat(file);
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
