import { parseEndpoint } from '../../kubernetes/index.ts';
import { invalidArgument } from '../../protocol/index.ts';
import { type ClusterEntry, namedUpstreams, validateClusterName } from '../entry/cluster-entry.ts';

/**
 * Reads the value of a field.
 * @param absolute makes a path absolute
 * @throws GatewayError INVALID_ARGUMENT that says what was expected
 */
export type FieldReader = (value: unknown, absolute: (path: string) => string) => unknown;

/** The fields of a cluster in the file. */
export const clusterFields: Readonly<Record<string, FieldReader>> = {
  name: value => validateClusterName(text(value)),
  upstream(value) {
    const upstream = namedUpstreams.find(known => known === value);
    return upstream ?? refuse(`expected ${namedUpstreams.join(', ')}, or nothing to have it chosen`);
  },
  kubeconfig: (value, absolute) => ({ file: absolute(text(value)) }),
  context: text,
  tillerNamespace: value => matching(value, /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, 'a namespace'),
  service: value =>
    matching(
      value,
      /^[a-z0-9-]{1,63}\/(https?:)?[a-z0-9-]{1,63}(:[a-z0-9-]{0,15})?$/,
      'NAMESPACE/NAME, NAMESPACE/NAME:PORT or NAMESPACE/https:NAME:PORT',
    ),
  endpoint(value) {
    const endpoint = text(value);
    parseEndpoint(endpoint);
    return endpoint;
  },
};

/** The fields of a cluster's `tls`. */
export const tlsFields: Readonly<Record<string, FieldReader>> = {
  caFile: (value, absolute) => absolute(text(value)),
  certFile: (value, absolute) => absolute(text(value)),
  keyFile: (value, absolute) => absolute(text(value)),
  insecureSkipVerify: value => (typeof value === 'boolean' ? value : refuse('expected true or false')),
};

/** The fields of an entry that do not fit together, in words. */
export function inconsistency(entry: Partial<ClusterEntry>): string | undefined {
  const { upstream, endpoint, service, kubeconfig, context, tillerNamespace, tls } = entry;
  const useless = (name: string, value: unknown, reason: string) =>
    value === undefined ? undefined : `${name} has no use ${reason}`;
  if (upstream === 'direct') {
    if (endpoint === undefined) return 'the upstream direct needs an endpoint';
    return (
      useless('kubeconfig', kubeconfig, 'with the upstream direct') ??
      useless('context', context, 'with the upstream direct') ??
      useless('tillerNamespace', tillerNamespace, 'with the upstream direct') ??
      useless('service', service, 'with the upstream direct')
    );
  }
  if (tls && Boolean(tls.certFile) !== Boolean(tls.keyFile)) return 'certFile and keyFile belong together';
  return (
    useless('endpoint', endpoint, 'without the upstream direct') ??
    (upstream === 'gateway' ? undefined : useless('service', service, 'without the upstream gateway')) ??
    (upstream === 'gateway'
      ? useless('tillerNamespace', tillerNamespace, 'with the upstream gateway')
      : undefined) ??
    (upstream === 'gateway' ? useless('tls', tls, 'with the upstream gateway') : undefined)
  );
}

function text(value: unknown): string {
  return typeof value === 'string' && value !== '' ? value : refuse('expected a text');
}

function matching(value: unknown, pattern: RegExp, expected: string): string {
  return pattern.test(text(value)) ? text(value) : refuse(`expected ${expected}`);
}

function refuse(message: string): never {
  throw invalidArgument(message);
}
