import { path } from '../option.ts';

/** The in-memory Tiller of the connector sandbox. */
export const sandboxOptions = {
  folder: path({
    flag: 'sandbox-dir',
    summary:
      'A folder in which the sandbox keeps its releases across restarts; without it they are in memory only.',
  }),
  kubeconfig: path({
    flag: 'sandbox-kubeconfig',
    summary: "Where to write a kubeconfig for the sandbox's Kubernetes API, for your own kubectl.",
  }),
};
