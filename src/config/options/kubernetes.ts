import { text } from '../option.ts';

/** Finding Tiller through Kubernetes: the connectors incluster and kubeconfig. */
export const kubernetesOptions = {
  context: text({
    flag: 'kube-context',
    summary: "The kubeconfig's context to use; without it the current one.",
    placeholder: 'NAME',
  }),
};
