import { type Config, servesClusters } from './config.ts';

/** What must hold between options. Each rule gives a mistake to report, or nothing. */
const rules: readonly ((config: Config) => string | false)[] = [
  ({ tls }) =>
    (tls.certFile === undefined) !== (tls.privateKeyFile === undefined) &&
    '--tls-cert-file and --tls-private-key-file belong together: one is missing',
  ({ tls, listener }) =>
    listener.secureAddr !== undefined && tls.certFile === undefined && '--secure-addr needs --tls-cert-file',
  ({ tls }) =>
    tls.caFile !== undefined && tls.certFile === undefined && '--tls-ca-file needs --tls-cert-file',
  ({ tls }) => tls.only && tls.certFile === undefined && '--tls-only needs --tls-cert-file',
  ({ tls }) =>
    tls.clientAuth !== 'none' &&
    tls.caFile === undefined &&
    `--tls-client-auth ${tls.clientAuth} needs --tls-ca-file`,
  ({ tls }) =>
    tls.clientAuth === 'none' &&
    tls.caFile !== undefined &&
    '--tls-ca-file has no use with --tls-client-auth none',
  ({ tiller }) =>
    (tiller.clientCertFile === undefined) !== (tiller.clientPrivateKeyFile === undefined) &&
    '--tiller-client-cert-file and --tiller-client-private-key-file belong together: one is missing',
  ({ tiller }) =>
    tiller.connector === 'direct' &&
    tiller.endpoint === undefined &&
    '--connector direct needs --tiller-endpoint',
  ({ tiller }) =>
    tiller.connector !== 'direct' &&
    tiller.endpoint !== undefined &&
    `--tiller-endpoint has no use with --connector ${tiller.connector}`,
  ({ tiller, kubernetes }) =>
    tiller.connector !== 'kubeconfig' &&
    kubernetes.context !== undefined &&
    `--kube-context has no use with --connector ${tiller.connector}`,
  ({ tiller, kubernetes, clusters }) =>
    tiller.connector !== 'kubeconfig' &&
    !servesClusters(clusters) &&
    kubernetes.kubeconfig !== undefined &&
    `--kubeconfig has no use with --connector ${tiller.connector}`,
  ({ tiller, kubernetes }) =>
    tiller.connector !== 'kubeconfig' &&
    tiller.connector !== 'incluster' &&
    kubernetes.tillerNamespace !== undefined &&
    `--tiller-namespace has no use with --connector ${tiller.connector}`,
  ({ tiller, sandbox }) =>
    tiller.connector !== 'sandbox' &&
    sandbox.kubeconfig !== undefined &&
    `--sandbox-kubeconfig has no use with --connector ${tiller.connector}`,
  ({ tiller, sandbox }) =>
    tiller.connector !== 'sandbox' &&
    sandbox.folder !== undefined &&
    `--sandbox-dir has no use with --connector ${tiller.connector}`,
  ({ clusters }) =>
    clusters.adhocCaFile !== undefined &&
    clusters.allowAdhoc.length === 0 &&
    '--adhoc-ca-file needs --allow-adhoc-clusters',
  ({ clusters }) =>
    clusters.defaultCluster !== undefined &&
    clusters.file === undefined &&
    clusters.kubeContexts.length === 0 &&
    '--default-cluster needs --clusters or --kube-contexts',
  ({ charts }) =>
    charts.repositoryCredentialsFile !== undefined &&
    charts.repositories.length === 0 &&
    '--chart-repo-credentials needs --chart-repo',
];

/** Every rule that the configuration breaks. */
export function brokenRules(config: Config): string[] {
  return rules.map(rule => rule(config)).filter(mistake => mistake !== false);
}
