import { bytes, choice, duration, flag, integer, list, path, text } from './option.ts';

/** The gateway's own Tiller, and the calls to every Tiller. */
export const tillerOptions = {
  connector: choice(
    {
      flag: 'connector',
      summary:
        'How Tiller is reached: through its Service from inside the cluster, by port-forward with a kubeconfig, at a fixed address, or the built-in sandbox.',
      defaultWords:
        'direct with --tiller-endpoint, kubeconfig with --kubeconfig or --kube-context, incluster in a cluster, kubeconfig with --clusters or --kube-contexts, else sandbox',
    },
    ['incluster', 'direct', 'kubeconfig', 'sandbox'],
  ),
  endpoint: text({
    flag: 'tiller-endpoint',
    needs: ['direct'],
    summary: "Tiller's address: host:port, http://…, https://…, tls://… or unix:/path.",
    placeholder: 'ENDPOINT',
  }),
  caFile: path({
    flag: 'tiller-ca-file',
    needs: ['tiller'],
    summary: "CA certificates (PEM) that verify Tiller's certificate; switches TLS to Tiller on.",
  }),
  clientCertFile: path({
    flag: 'tiller-client-cert-file',
    needs: ['tiller', 'client-key'],
    summary: 'Client certificate (PEM) for Tiller; switches TLS to Tiller on.',
  }),
  clientPrivateKeyFile: path({
    flag: 'tiller-client-private-key-file',
    needs: ['tiller', 'client-certificate'],
    summary: 'The private key (PEM) of --tiller-client-cert-file.',
  }),
  insecureSkipVerify: flag({
    flag: 'tiller-insecure-skip-verify',
    needs: ['tiller-tls'],
    lenient: true,
    summary:
      "Do not verify Tiller's certificate. TLS stays on; without TLS to Tiller this flag is ignored with a warning.",
  }),
  timeoutMs: duration({
    flag: 'tiller-timeout',
    summary:
      'Time limit of a call to Tiller if the client sets no deadline by Grpc-Timeout; a longer `timeout` in the request extends it. Passed-through calls have only the deadline of their client.',
    default: '5m',
    range: ['1s', '24h'],
  }),
  errors: choice(
    {
      flag: 'tiller-errors',
      summary:
        "Give Tiller's errors the code and HTTP status that fit their text, or pass on the UNKNOWN (500) that Tiller always sends.",
      default: 'translated',
    },
    ['translated', 'raw'],
  ),
};

/** How Kubernetes is reached, and where Tiller runs in it. */
export const kubernetesOptions = {
  kubeconfig: path({
    flag: 'kubeconfig',
    needs: ['kubeconfig-reader'],
    summary:
      'The kubeconfig; by default the files of KUBECONFIG, else ~/.kube/config, as kubectl reads them.',
  }),
  context: text({
    flag: 'kube-context',
    needs: ['kubeconfig'],
    summary: "The kubeconfig's context to use; by default the current one.",
    placeholder: 'NAME',
  }),
  tillerNamespace: text(
    {
      flag: 'tiller-namespace',
      needs: ['kubernetes'],
      summary:
        "The only namespace to search for Tiller; by default all, with the connector incluster the gateway's own first.",
      placeholder: 'NAMESPACE',
    },
    { pattern: /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, expected: 'a namespace such as kube-system' },
  ),
  tunnels: integer({
    flag: 'tunnels',
    summary:
      'Number of connections to Tiller; with the connector kubeconfig each is a port-forward of its own.',
    default: '1',
    range: [1, 16],
  }),
};

/** The hub: many clusters behind one gateway. Off unless one of the first three is given. */
export const clusterOptions = {
  file: path({
    flag: 'clusters',
    summary:
      'YAML file that lists the clusters to serve at /clusters/NAME (docs/clusters.md). It is watched; an invalid new version is ignored with a warning.',
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
        'Hosts of API servers that a request may name by X-KubeApiServer, with its own token in X-KubeToken.',
      placeholder: 'HOST-PATTERN',
    },
    {
      pattern: /^(\*\.)?[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\d{1,5})?$/i,
      expected: 'a host such as api.example.com, 10.0.0.1:6443 or *.example.com',
    },
  ),
  adhocCaFile: path({
    flag: 'adhoc-ca-file',
    needs: ['adhoc-clusters'],
    summary: "CA certificates (PEM) that verify such API servers; by default the system's authorities.",
  }),
  defaultCluster: text({
    flag: 'default-cluster',
    needs: ['listed-clusters'],
    summary: "The cluster that the root path serves instead of the gateway's own Tiller.",
    placeholder: 'NAME',
  }),
  timeoutMs: duration({
    flag: 'cluster-timeout',
    needs: ['clusters'],
    summary: 'Time limit per cluster for /clusters/-/…; slower clusters are reported as failed.',
    default: '10s',
    range: ['100ms', '10m'],
  }),
  idleMs: duration({
    flag: 'cluster-idle',
    needs: ['clusters'],
    summary: 'Time after which an unused connection to a cluster is closed.',
    default: '10m',
    range: ['1s', '24h'],
  }),
  maxCalls: integer({
    flag: 'cluster-max-calls',
    needs: ['clusters'],
    summary: 'Maximum of concurrent requests to one cluster; further ones are answered 429.',
    default: '64',
    range: [1, 10_000],
  }),
  maxOpen: integer({
    flag: 'max-open-clusters',
    needs: ['clusters'],
    summary:
      'Maximum of clusters with an open connection; the least recently used one is closed for the next.',
    default: '250',
    range: [1, 1000],
  }),
};

/** The in-memory Tiller of the connector sandbox. */
export const sandboxOptions = {
  folder: path({
    flag: 'sandbox-dir',
    needs: ['sandbox'],
    summary:
      'Folder in which the sandbox keeps its releases across restarts; by default they are in memory only.',
  }),
  maxRevisions: integer({
    flag: 'sandbox-max-revisions',
    needs: ['sandbox'],
    summary: 'Maximum of stored revisions; past it the sandbox refuses new ones.',
    default: '10000',
    range: [1, 1_000_000],
  }),
  maxBytes: bytes({
    flag: 'sandbox-max-bytes',
    needs: ['sandbox'],
    summary: 'Maximum size of all stored revisions together.',
    default: '512MiB',
    range: ['1MiB', '8GiB'],
  }),
  kubeconfig: path({
    flag: 'sandbox-kubeconfig',
    needs: ['sandbox'],
    summary: "File to write a kubeconfig for the sandbox's Kubernetes API to, for your own kubectl.",
  }),
};
