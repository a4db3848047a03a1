import { readFile } from 'node:fs/promises';
import {
  createClusterSource,
  keepUpToDate,
  openUpstream,
  Registry,
  type SourceProblem,
} from '../clusters/index.ts';
import { type Config, servesClusters } from '../config/index.ts';
import type { LogFields, Logger, Metrics } from '../observe/index.ts';
import { invalidArgument } from '../protocol/index.ts';
import type { OpenSandbox } from './open-sandbox.ts';
import { connectTimeoutMs, ownEntryOf, recordsOf, tillerCallOptionsOf } from './options.ts';

/** The clusters with their configuration, which is read again when its files change. */
export interface OpenClusters {
  readonly registry: Registry;
  /** The own Tiller, or the cluster that stands in for it, for people. */
  readonly description: string;
  problem(): { readonly problem?: SourceProblem };
  close(): void;
}

/**
 * Opens the own cluster without connecting to it, and reads the configuration of the others.
 * @throws GatewayError for a mistake in the configuration
 */
export async function openClusters(
  config: Config,
  { sandbox, metrics, log }: { sandbox: OpenSandbox | undefined; metrics: Metrics; log: Logger },
): Promise<OpenClusters> {
  const { clusters, kubernetes, limits, tiller } = config;
  const { defaultCluster } = clusters;
  const hasMany = servesClusters(clusters);
  const upstreamOptions = {
    tiller: tillerCallOptionsOf(config, metrics),
    gateway: {
      maxSockets: clusters.maxCalls,
      maxMessageBytes: limits.maxMessageBytes,
      timeoutMs: tiller.timeoutMs,
      connectTimeoutMs,
    },
    environment: process.env,
  };
  const writeLog = (level: keyof Logger, message: string, fields?: LogFields) => log[level](message, fields);
  const registry = new Registry({
    own: ownEntryOf(config, sandbox?.kubeconfig),
    many: hasMany ? await manyOptionsOf(config) : undefined,
    open: async (entry, events, signal) => openUpstream(entry, upstreamOptions, events, signal),
    records: recordsOf(config, log),
    connectTimeoutMs,
    log: writeLog,
  });
  let source: Awaited<ReturnType<typeof keepUpToDate>> | undefined;
  const close = () => {
    source?.stop();
    registry.destroy();
  };
  try {
    const own = await registry.own.open(AbortSignal.timeout(connectTimeoutMs));
    if (hasMany) {
      source = await keepUpToDate(
        createClusterSource({
          file: clusters.file,
          kubeContexts: clusters.kubeContexts,
          kubeconfig: kubernetes.kubeconfig,
          environment: process.env,
        }),
        registry,
        writeLog,
      );
      if (defaultCluster !== undefined) registry.get(defaultCluster); // refuses one that is not listed
      log.info(`serving ${registry.clusters.length} clusters at /clusters`);
      metrics.watch({ clusterStates: () => registry.states() });
    }
    return {
      registry,
      description: defaultCluster === undefined ? own.description : `cluster ${defaultCluster}`,
      problem: () => source?.problem() ?? {},
      close,
    };
  } catch (error) {
    close();
    throw error;
  }
}

async function manyOptionsOf({ clusters }: Config) {
  const { allowAdhoc, adhocCaFile, defaultCluster, maxOpen, maxCalls, idleMs } = clusters;
  const caPem = adhocCaFile === undefined ? undefined : await readCa(adhocCaFile);
  const adhoc = allowAdhoc.length > 0 ? { hosts: allowAdhoc, caPem } : undefined;
  return { defaultCluster, adhoc, maxOpen, maxCalls, idleMs };
}

async function readCa(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch(cause => {
    throw invalidArgument(`--adhoc-ca-file: ${file} cannot be read`, { cause });
  });
  if (!text.includes('-----BEGIN CERTIFICATE-----')) {
    throw invalidArgument(`--adhoc-ca-file: ${file} holds no certificate in PEM`);
  }
  return text;
}
