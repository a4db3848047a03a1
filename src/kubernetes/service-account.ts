import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { reasonOf, unavailable } from '../protocol/index.ts';
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
