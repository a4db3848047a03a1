import { choice, duration, flag, path, text } from '../option.ts';

/** Which Tiller, and how it is called. */
export const tillerOptions = {
  connector: choice(
    {
      flag: 'connector',
      summary: 'How Tiller is found and reached.',
      defaultWords:
        'direct with --tiller-endpoint, kubeconfig with --kubeconfig or --kube-context, incluster in a cluster, kubeconfig with --clusters or --kube-contexts, else sandbox',
    },
    ['incluster', 'direct', 'kubeconfig', 'sandbox'],
  ),
  endpoint: text({
    flag: 'tiller-endpoint',
    summary:
      "Tiller's address for the connector direct: host:port, http://…, https://…, tls://… or unix:/path.",
    placeholder: 'ENDPOINT',
  }),
  caFile: path({
    flag: 'tiller-ca-file',
    summary:
      "CA certificates (PEM) against which Tiller's certificate is verified; switches TLS to Tiller on.",
  }),
  clientCertFile: path({
    flag: 'tiller-client-cert-file',
    summary: 'Certificate (PEM) that Tiller sees; switches TLS to Tiller on.',
  }),
  clientPrivateKeyFile: path({
    flag: 'tiller-client-private-key-file',
    summary: 'The private key (PEM) of --tiller-client-cert-file.',
  }),
  insecureSkipVerify: flag({
    flag: 'tiller-insecure-skip-verify',
    summary: "Do not verify Tiller's certificate; TLS stays on.",
  }),
  timeoutMs: duration(
    {
      flag: 'tiller-timeout',
      summary:
        'The longest a call to Tiller may take where the client sets no deadline by Grpc-Timeout; a longer `timeout` in the request makes it longer. Passed-through calls last as long as their client waits.',
      default: '5m',
    },
    { min: '1s', max: '24h' },
  ),
  errors: choice(
    {
      flag: 'tiller-errors',
      summary:
        "Whether Tiller's failures get the code and HTTP status that their texts mean, or stay, raw, the UNKNOWN (500) that Tiller sends.",
      default: 'translated',
    },
    ['translated', 'raw'],
  ),
};
