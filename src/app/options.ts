import { accessSync, constants, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { Records, type Storage, type TillerClientOptions } from '../backends/index.ts';
import type { ChartOptions } from '../charts/index.ts';
import type { ClusterEntry, RegistryOptions } from '../clusters/index.ts';
import type { Config } from '../config/index.ts';
import type { CorsOptions } from '../http/index.ts';
import { proxyFor } from '../kubernetes/index.ts';
import type { ListenerOptions } from '../listener/index.ts';
import type { Logger, Metrics } from '../observe/index.ts';
import { invalidArgument } from '../protocol/index.ts';
import type { ReleaseServiceOptions } from '../releases/index.ts';

/* From the one Config to what each room wants to know. */

/** Tiller takes pings faster than every 20 s for an attack; noticing a dead one takes 40 s at the most. */
const keepaliveMs = 30_000;
const keepaliveTimeoutMs = 10_000;
/** One attempt to connect, and how long a call waits over several. */
export const connectTimeoutMs = 10_000;
const waitMs = 15_000;

/** The upstream kinds that the values of `--connector` stand for. */
const upstreams = {
  direct: 'direct',
  incluster: 'service',
  kubeconfig: 'tunnel',
  sandbox: 'sandbox',
} as const;

/**
 * The gateway's own Tiller as an entry of the registry.
 * @param sandboxKubeconfig of the sandbox's API server, for `--connector sandbox`
 */
export function ownEntryOf({ tiller, kubernetes }: Config, sandboxKubeconfig?: string): ClusterEntry {
  const { caFile, clientCertFile: certFile, clientPrivateKeyFile: keyFile, insecureSkipVerify } = tiller;
  const isDirect = tiller.connector === 'direct';
  const tls = { caFile, certFile, keyFile, insecureSkipVerify };
  return {
    name: 'own',
    upstream: upstreams[tiller.connector],
    connections: kubernetes.tunnels,
    ...(isDirect ? { endpoint: tiller.endpoint } : { tillerNamespace: kubernetes.tillerNamespace }),
    ...(tiller.connector === 'kubeconfig' && {
      kubeconfig: kubernetes.kubeconfig === undefined ? undefined : { file: kubernetes.kubeconfig },
      context: kubernetes.context,
    }),
    ...(sandboxKubeconfig !== undefined && {
      kubeconfig: { contents: sandboxKubeconfig },
      tillerNamespace: undefined,
    }),
    ...((isDirect || caFile || certFile || keyFile) && { tls }),
  };
}

/** What the release service tells and shows. */
export function releaseOptionsOf(
  { tiller, kubernetes, rest }: Config,
  version: string,
): ReleaseServiceOptions {
  const { tillerNamespace } = kubernetes;
  return {
    showSecrets: rest.showSecrets,
    environment: {
      HELM_BIN: 'tiller-gateway',
      TILLER_GATEWAY_VERSION: version,
      TILLER_GATEWAY_CONNECTOR: tiller.connector,
      ...(tillerNamespace !== undefined && { TILLER_NAMESPACE: tillerNamespace }),
    },
  };
}

/** Options for calls to any Tiller, the own one and those of other clusters. */
export function tillerCallOptionsOf({ tiller, limits }: Config, metrics: Metrics) {
  return {
    keepaliveMs,
    keepaliveTimeoutMs,
    connectTimeoutMs,
    waitMs,
    maxMessageBytes: limits.maxMessageBytes,
    timeoutMs: tiller.timeoutMs,
    rawErrors: tiller.errors === 'raw',
    onCall: metrics.tillerCalled,
  } satisfies Partial<TillerClientOptions>;
}

/** What opens the release records of a cluster; undefined where they are not read. */
export function recordsOf({ records, tiller }: Config, log: Logger): RegistryOptions['records'] {
  const { reads, storages, helm3Namespaces, cacheBytes: maxBytes, waitMs } = records;
  if (reads === 'tiller') return undefined;
  return ({ access, namespaces }, { name: cluster }) =>
    new Records({
      access,
      tillerNamespaces: namespaces,
      storages: storages as Storage[],
      helm3Namespaces,
      maxBytes,
      waitMs,
      only: reads === 'records',
      rawErrors: tiller.errors === 'raw',
      log: (level, message, fields) => log[level](message, { cluster, ...fields }),
    });
}

export function listenerOptionsOf({ listener, tls, limits }: Config, log: Logger): ListenerOptions {
  const main = { ...listener.addr, tlsOnly: tls.only };
  const { certFile, privateKeyFile, caFile, clientAuth } = tls;
  // without a certificate it is ignored, with a warning
  const secure = listener.secureAddr && certFile && { ...listener.secureAddr, tlsOnly: true };
  return {
    targets: secure ? [main, secure] : [main],
    tls: certFile && privateKeyFile ? { certFile, privateKeyFile, caFile, clientAuth } : undefined,
    firstByteTimeoutMs: listener.firstByteTimeoutMs,
    headerTimeoutMs: listener.headerTimeoutMs,
    requestTimeoutMs: listener.requestTimeoutMs,
    idleTimeoutMs: listener.idleTimeoutMs,
    maxConnections: limits.maxConnections,
    maxStreams: limits.maxStreams,
    maxHeaderBytes: limits.maxHeaderBytes,
    log: (level, message, fields) => log[level](message, fields),
  };
}

/** Files that are left for what is no client: connections to Tiller and to repositories, charts, probes. */
const maxSpareFiles = 256;

/**
 * As many connections as this process may have open files. Past those, Node closes a connection that it has just
 * accepted without a word; this program's own limit leaves a line and a count. Linux tells how many; others are not asked.
 */
export function boundByFiles(maxConnections: number, log: Pick<Logger, 'warn'>): number {
  let openFiles: number;
  let used: number;
  try {
    openFiles = Number(/^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1]);
    used = readdirSync('/proc/self/fd').length;
  } catch {
    return maxConnections;
  }
  const spare = Math.min(maxSpareFiles, Math.ceil(openFiles / 8));
  const bound = Math.max(1, openFiles - used - spare);
  if (!(bound < maxConnections)) return maxConnections; // also where the limit is no number
  log.warn(`--max-connections is taken as ${bound}: this process may have ${openFiles} open files`);
  return bound;
}

/** Probes come one at a time and are answered at once: whoever holds connections open here makes room for them. */
export function probeListenerOptionsOf(config: Config, log: Logger): ListenerOptions | undefined {
  const { probeAddr } = config.listener;
  return (
    probeAddr && {
      targets: [{ ...probeAddr, tlsOnly: false, http1Only: true }],
      firstByteTimeoutMs: 2_000,
      headerTimeoutMs: 2_000,
      requestTimeoutMs: 5_000,
      idleTimeoutMs: 30_000,
      maxConnections: 64,
      maxStreams: 1,
      maxHeaderBytes: 8 * 1024,
      log: (level, message, fields) => log[level](message, { ...fields, probes: true }),
    }
  );
}

export function corsOptionsOf({ rest }: Config): CorsOptions {
  return {
    enabled: rest.enableCors,
    originHosts: rest.corsOriginHosts,
    allowSubdomains: rest.corsOriginAllowSubdomain,
  };
}

export function chartOptionsOf({ charts }: Config, log: Logger): ChartOptions {
  return { ...charts, proxyFor: url => proxyFor(url, process.env), warn: message => log.warn(message) };
}

/** @throws GatewayError INVALID_ARGUMENT for a path that cannot be read: better at the start than at the first install */
export function requireChartFiles({ charts }: Config): void {
  const { chartDir, keyring, repositoryCredentialsFile, repositoryFile, uploadDir } = charts;
  requireReadable('--chart-dir', chartDir);
  requireReadable('--keyring', keyring);
  requireReadable('--chart-repo-credentials', repositoryCredentialsFile);
  requireFolder('--chart-repo-file', repositoryFile && dirname(repositoryFile));
  requireFolder('--chart-upload-dir', uploadDir);
}

/** Makes the folder where there is none yet. */
export function requireFolder(flag: string, path: string | undefined): void {
  if (path === undefined) return;
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (cause) {
    throw invalidArgument(`${flag}: cannot write to ${path}`, { cause });
  }
}

function requireReadable(flag: string, path: string | undefined): void {
  if (path === undefined) return;
  try {
    accessSync(path, constants.R_OK);
  } catch (cause) {
    throw invalidArgument(`${flag}: cannot read ${path}`, { cause });
  }
}
