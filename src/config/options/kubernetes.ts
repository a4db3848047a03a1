import { integer, path, text } from '../option.ts';

/** Finding Tiller through Kubernetes: the connectors incluster and kubeconfig. */
export const kubernetesOptions = {
  kubeconfig: path({
    flag: 'kubeconfig',
    summary:
      'The kubeconfig of the connector kubeconfig; without it the files of KUBECONFIG, else ~/.kube/config, as kubectl takes them.',
  }),
  context: text({
    flag: 'kube-context',
    summary: "The kubeconfig's context to use; without it the current one.",
    placeholder: 'NAME',
  }),
  tillerNamespace: text(
    {
      flag: 'tiller-namespace',
      summary:
        'The only namespace in which Tiller is looked for; without it all of them, and with the connector incluster the own one first.',
      placeholder: 'NAMESPACE',
    },
    { pattern: /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, expected: 'a namespace such as kube-system' },
  ),
  tunnels: integer(
    {
      flag: 'tunnels',
      summary:
        'How many connections to Tiller share the calls; with the connector kubeconfig each is a port-forward of its own.',
      default: '1',
    },
    { min: 1, max: 16 },
  ),
};
