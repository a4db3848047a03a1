import { bytes, choice, duration, flag, integer, list, path, text } from './option.ts';

/** The gateway's own Tiller, and the calls to every Tiller. */
export const tillerOptions = {
  connector: choice(
    'connector',
    'How Tiller is reached: through its Service from inside the cluster, by port-forward with a kubeconfig, at a fixed address, or the built-in sandbox.',
    ['incluster', 'direct', 'kubeconfig', 'sandbox'],
    {
      defaultWords:
        'direct with --tiller-endpoint, kubeconfig with --kubeconfig or --kube-context, incluster in a cluster, kubeconfig with --clusters or --kube-contexts, else sandbox',
    },
  ),
  endpoint: text(
    'tiller-endpoint',
    "Tiller's address: host:port, http://…, https://…, tls://… or unix:/path.",
    { needs: ['direct'], placeholder: 'ENDPOINT' },
  ),
  caFile: path(
    'tiller-ca-file',
    "CA certificates (PEM) that verify Tiller's certificate; switches TLS to Tiller on.",
    { needs: ['tiller'] },
  ),
  clientCertFile: path(
    'tiller-client-cert-file',
    'Client certificate (PEM) for Tiller; switches TLS to Tiller on.',
    { needs: ['tiller', 'client-key'] },
  ),
  clientPrivateKeyFile: path(
    'tiller-client-private-key-file',
    'The private key (PEM) of --tiller-client-cert-file.',
    { needs: ['tiller', 'client-certificate'] },
  ),
  insecureSkipVerify: flag(
    'tiller-insecure-skip-verify',
    "Do not verify Tiller's certificate. TLS stays on; without TLS to Tiller this flag is ignored with a warning.",
    { needs: ['tiller-tls'], lenient: true },
  ),
  timeoutMs: duration(
    'tiller-timeout',
    'Time limit of a call to Tiller if the client sets no deadline by Grpc-Timeout; a longer `timeout` in the request extends it. Passed-through calls have only the deadline of their client.',
    { default: '5m', range: ['1s', '24h'] },
  ),
  errors: choice(
    'tiller-errors',
    "Give Tiller's errors the code and HTTP status that fit their text, or pass on the UNKNOWN (500) that Tiller always sends.",
    ['translated', 'raw'],
    { default: 'translated' },
  ),
};

/** How Kubernetes is reached, and where Tiller runs in it. */
export const kubernetesOptions = {
  kubeconfig: path(
    'kubeconfig',
    'The kubeconfig; by default the files of KUBECONFIG, else ~/.kube/config, as kubectl reads them.',
    { needs: ['kubeconfig-reader'] },
  ),
  context: text('kube-context', "The kubeconfig's context to use; by default the current one.", {
    needs: ['kubeconfig'],
    placeholder: 'NAME',
  }),
  tillerNamespace: text(
    'tiller-namespace',
    "The only namespace to search for Tiller; by default all, with the connector incluster the gateway's own first.",
    { needs: ['kubernetes'], placeholder: 'NAMESPACE' },
    { pattern: /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, expected: 'a namespace such as kube-system' },
  ),
  tunnels: integer(
    'tunnels',
    'Number of connections to Tiller; with the connector kubeconfig each is a port-forward of its own.',
    { default: '1', range: [1, 16] },
  ),
};

/** Reads from the records of releases in Kubernetes (docs/records.md). */
export const recordOptions = {
  reads: choice(
    'reads',
    'Where reads come from: auto takes the release records in Kubernetes where the gateway may watch them, else Tiller; records never asks Tiller; tiller never reads records.',
    ['auto', 'records', 'tiller'],
    { default: 'auto', needs: ['kubernetes-api'] },
  ),
  storages: list(
    'records',
    "Whose records are read: helm2 are Tiller's, helm3 those of Helm 3 and 4.",
    { default: 'helm2', placeholder: 'helm2|helm3', needs: ['kubernetes-api', 'records'] },
    { pattern: /^helm[23]$/, expected: 'helm2 or helm3' },
  ),
  helm3Namespaces: list(
    'records-namespaces',
    "Namespaces in which Helm 3's records are read; by default all.",
    { placeholder: 'NAMESPACE', needs: ['kubernetes-api', 'records', 'records-helm3'] },
    { pattern: /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, expected: 'a namespace such as kube-system' },
  ),
  waitMs: duration(
    'records-wait',
    'Time, from the end of a write through this gateway, in which reads of its release wait for its record; then Tiller is asked.',
    { default: '2s', range: ['0s', '1m'], needs: ['kubernetes-api', 'records'] },
  ),
  cacheBytes: bytes(
    'records-cache-bytes',
    'Memory per cluster for release records: the summaries of all of them, and whole ones in what these leave. Where the summaries alone take more, reads go to Tiller.',
    { default: '256MiB', range: ['1MiB', '16GiB'], needs: ['kubernetes-api', 'records'] },
  ),
};

/** The hub: many clusters behind one gateway. Off unless one of the first three is given. */
export const clusterOptions = {
  file: path(
    'clusters',
    'YAML file that lists the clusters to serve at /clusters/NAME (docs/clusters.md). It is watched; an invalid new version is ignored with a warning.',
  ),
  kubeContexts: list(
    'kube-contexts',
    'Contexts of the kubeconfig to serve as clusters of the same names: all, or their names; the kubeconfig is watched.',
    { placeholder: 'all|NAME' },
  ),
  allowAdhoc: list(
    'allow-adhoc-clusters',
    'Hosts of API servers that a request may name by X-KubeApiServer, with its own token in X-KubeToken.',
    { placeholder: 'HOST-PATTERN' },
    {
      pattern: /^(\*\.)?[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\d{1,5})?$/i,
      expected: 'a host such as api.example.com, 10.0.0.1:6443 or *.example.com',
    },
  ),
  adhocCaFile: path(
    'adhoc-ca-file',
    "CA certificates (PEM) that verify such API servers; by default the system's authorities.",
    { needs: ['adhoc-clusters'] },
  ),
  defaultCluster: text(
    'default-cluster',
    "The cluster that the root path serves instead of the gateway's own Tiller.",
    { needs: ['listed-clusters'], placeholder: 'NAME' },
  ),
  timeoutMs: duration(
    'cluster-timeout',
    'Time limit per cluster for /clusters/-/…; slower clusters are reported as failed.',
    { needs: ['clusters'], default: '10s', range: ['100ms', '10m'] },
  ),
  idleMs: duration('cluster-idle', 'Time after which an unused connection to a cluster is closed.', {
    needs: ['clusters'],
    default: '10m',
    range: ['1s', '24h'],
  }),
  maxCalls: integer(
    'cluster-max-calls',
    'Maximum of concurrent requests to one cluster; further ones are answered 429.',
    { needs: ['clusters'], default: '64', range: [1, 10_000] },
  ),
  maxOpen: integer(
    'max-open-clusters',
    'Maximum of clusters with an open connection; the least recently used one is closed for the next.',
    { needs: ['clusters'], default: '250', range: [1, 1000] },
  ),
};

export const sandboxOptions = {
  folder: path(
    'sandbox-dir',
    'Folder in which the sandbox keeps its releases across restarts; by default they are in memory only.',
    { needs: ['sandbox'] },
  ),
  maxRevisions: integer(
    'sandbox-max-revisions',
    'Maximum of stored revisions; past it the sandbox refuses new ones.',
    { needs: ['sandbox'], default: '10000', range: [1, 1_000_000] },
  ),
  maxBytes: bytes('sandbox-max-bytes', 'Maximum size of all stored revisions together.', {
    needs: ['sandbox'],
    default: '512MiB',
    range: ['1MiB', '8GiB'],
  }),
  kubeconfig: path(
    'sandbox-kubeconfig',
    "File to write a kubeconfig for the sandbox's Kubernetes API to, for your own kubectl.",
    { needs: ['sandbox'] },
  ),
};
