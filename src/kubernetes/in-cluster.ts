import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { checkServerIdentity, connect, type PeerCertificate } from 'node:tls';
import { localPath, reasonOf, unavailable } from '../protocol/index.ts';
import type { ClusterAccess } from './api.ts';
import { hostPort } from './endpoint.ts';

/** Where Kubernetes mounts a Pod's service account. */
export const serviceAccountFolder = '/var/run/secrets/kubernetes.io/serviceaccount';

/** Access to the API server of the own cluster. */
export interface ServiceAccountAccess extends ClusterAccess {
  /** The namespace of the own Pod. @throws GatewayError UNAVAILABLE where it cannot be read */
  namespace(): Promise<string>;
}

/**
 * The Pod's service account. Its files are read at every use, since Kubernetes replaces the token about every hour.
 * @param environment holds `KUBERNETES_SERVICE_HOST` and `KUBERNETES_SERVICE_PORT`
 */
export function createServiceAccountAccess(
  folder: string,
  environment: NodeJS.ProcessEnv,
): ServiceAccountAccess {
  const read = (name: string) =>
    readFile(join(folder, name)).catch(cause => {
      throw unavailable(`reading the service account's ${name}: ${reasonOf(cause)}`, { cause });
    });
  return {
    async settings() {
      const host = environment.KUBERNETES_SERVICE_HOST;
      if (!host) throw unavailable('KUBERNETES_SERVICE_HOST is not set: this does not run in a cluster');
      const [token, ca] = await Promise.all([read('token'), read('ca.crt')]);
      return {
        server: `https://${hostPort(host, Number(environment.KUBERNETES_SERVICE_PORT ?? 443))}`,
        headers: { authorization: `Bearer ${token.toString().trim()}` },
        tls: { ca },
        agent: undefined,
      };
    },
    forget() {},
    async namespace() {
      return (await read('namespace')).toString().trim();
    },
  };
}

/** The names by which a gateway in a pod is reached: its Service's, and the API server's in front of its service proxy. */
export interface ClusterNames {
  isClusterName(host: string): boolean;
  /** Asks the API server for its certificate once more. Never rejects. */
  refresh(): Promise<void>;
}

interface Options {
  readonly environment: NodeJS.ProcessEnv;
  readonly folder?: string;
  readonly resolvConf?: string;
  readonly timeoutMs?: number;
}

/**
 * A name counts only where nobody outside can have it lead to an address of their choice:
 * - one label (`swift`), which no public name server answers;
 * - `NAME.NAMESPACE.svc` and `NAME.NAMESPACE.svc.DOMAIN` of the own namespace and the cluster's domain;
 * - `NAME.NAMESPACE` of the own namespace, where no top-level domain can be called so (none has a hyphen), or where
 *   Kubernetes has put a Service of that name into the environment;
 * - what the API server's certificate is for, verified with the cluster's CA. The service proxy passes the API server's
 *   own name on as `Host`, which can be any: kubectl has verified that same certificate.
 */
export function createClusterNames(options: Options): ClusterNames {
  const {
    environment,
    folder = serviceAccountFolder,
    resolvConf = '/etc/resolv.conf',
    timeoutMs = 2_000,
  } = options;
  const apiServer = environment.KUBERNETES_SERVICE_HOST ?? '';
  // kubelet writes `search NAMESPACE.svc.DOMAIN svc.DOMAIN DOMAIN …`
  const search = /^search\s+([a-z0-9-]+)\.svc\.([a-z0-9.-]+)/m.exec(read(resolvConf));
  const namespace = read(join(folder, 'namespace')).trim() || search?.[1];
  const domain = search?.[2]?.replace(/\.$/, '') ?? 'cluster.local';
  const suffixes = namespace === undefined ? [] : [`${namespace}.svc`, `${namespace}.svc.${domain}`];
  let certificate: PeerCertificate | undefined;

  const isService = (host: string) => {
    const [name = '', ...rest] = host.split('.');
    const suffix = rest.join('.');
    if (suffix === '' || suffixes.includes(suffix)) return name !== '';
    if (suffix !== namespace) return false;
    const variable = `${name.toUpperCase().replaceAll('-', '_')}_SERVICE_HOST`;
    return /^(?!xn--).*-/.test(suffix) || environment[variable] !== undefined;
  };
  return {
    isClusterName: host =>
      host === apiServer.toLowerCase() ||
      isService(host) ||
      (certificate !== undefined && checkServerIdentity(host, certificate) === undefined),
    async refresh() {
      const ca = read(join(folder, 'ca.crt'));
      if (apiServer === '' || ca === '') return;
      const port = Number(environment.KUBERNETES_SERVICE_PORT ?? 443);
      certificate = (await peerCertificate({ host: apiServer, port, ca }, timeoutMs)) ?? certificate;
    },
  };
}

/** @returns undefined where no certificate came that the CA verifies */
async function peerCertificate(
  to: { readonly host: string; readonly port: number; readonly ca: string },
  timeoutMs: number,
): Promise<PeerCertificate | undefined> {
  const socket = connect(to);
  try {
    await once(socket, 'secureConnect', { signal: AbortSignal.timeout(timeoutMs) });
    return socket.getPeerCertificate();
  } catch {
    return undefined;
  } finally {
    socket.on('error', () => {}).destroy();
  }
}

/** Empty where it cannot be read. */
function read(file: string): string {
  try {
    return readFileSync(localPath(file), 'utf8');
  } catch {
    return '';
  }
}
