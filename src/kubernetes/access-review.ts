import { type ClusterAccess, getJson } from './api.ts';

/** What one wants to do, in RBAC's words. */
export interface ResourceRight {
  readonly verb: string;
  readonly resource: string;
  /** All namespaces where it is missing. */
  readonly namespace: string | undefined;
}

/**
 * Asks the API server whether these rights are given.
 * Source: https://kubernetes.io/docs/reference/kubernetes-api/authorization-resources/self-subject-access-review-v1/
 * @returns the first right that is not, in words; undefined where all are
 * @throws GatewayError UNAVAILABLE where the API server does not say
 */
export async function missingRight(
  access: ClusterAccess,
  rights: readonly ResourceRight[],
  signal: AbortSignal,
): Promise<string | undefined> {
  const step = 'asking for the own rights';
  for (const { verb, resource, namespace } of rights) {
    const resourceAttributes = { verb, resource, ...(namespace !== undefined && { namespace }) };
    const body = {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectAccessReview',
      spec: { resourceAttributes },
    };
    const path = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
    const answer = (await getJson(access, path, { step, signal, body })) as {
      status?: { allowed?: unknown };
    } | null;
    if (answer?.status?.allowed !== true)
      return `no right to ${verb} ${resource} in ${namespace === undefined ? 'all namespaces' : `namespace ${namespace}`}`;
  }
  return undefined;
}
