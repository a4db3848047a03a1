import { duration, integer, list, path, text } from '../option.ts';

/** The hub: many clusters behind one gateway. All of it is off unless one of the first three is given. */
export const clusterOptions = {
  file: path({
    flag: 'clusters',
    summary:
      'YAML file that lists the clusters to serve at /clusters/NAME (docs/clusters.md); watched, and a bad new version leaves the old one in force.',
  }),
  kubeContexts: list({
    flag: 'kube-contexts',
    summary:
      'Contexts of the kubeconfig to serve as clusters of the same names: all, or their names; the kubeconfig is watched.',
    placeholder: 'all|NAME',
  }),
  allowAdhoc: list(
    {
      flag: 'allow-adhoc-clusters',
      summary:
        'Hosts of API servers that a request may name by X-KubeApiServer, with its own token in X-KubeToken; none unless given.',
      placeholder: 'HOST-PATTERN',
    },
    {
      pattern: /^(\*\.)?[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\d{1,5})?$/i,
      expected: 'a host such as api.example.com, 10.0.0.1:6443 or *.example.com',
    },
  ),
  adhocCaFile: path({
    flag: 'adhoc-ca-file',
    summary:
      "CA certificates (PEM) against which such API servers are verified; without it the system's authorities.",
  }),
  defaultCluster: text({
    flag: 'default-cluster',
    summary: "The cluster that the root path serves in place of the connector's Tiller.",
    placeholder: 'NAME',
  }),
  timeoutMs: duration(
    {
      flag: 'cluster-timeout',
      summary: 'What one cluster may take of a request that asks all of them, before it is told as failed.',
      default: '10s',
    },
    { min: '100ms', max: '10m' },
  ),
  idleMs: duration(
    {
      flag: 'cluster-idle',
      summary: 'A connection to a cluster is closed after this time without use.',
      default: '10m',
    },
    { min: '1s', max: '24h' },
  ),
  maxCalls: integer(
    {
      flag: 'cluster-max-calls',
      summary:
        'Requests under way to one cluster; more are answered 429, so that a stuck one does not take all.',
      default: '64',
    },
    { min: 1, max: 10_000 },
  ),
  maxOpen: integer(
    {
      flag: 'max-open-clusters',
      summary: 'Clusters with an open connection; the one unused for longest is closed for the next.',
      default: '250',
    },
    { min: 1, max: 1000 },
  ),
};
