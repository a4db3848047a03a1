import { bytes, integer, path } from '../option.ts';

/** The in-memory Tiller of the connector sandbox. */
export const sandboxOptions = {
  folder: path({
    flag: 'sandbox-dir',
    summary:
      'A folder in which the sandbox keeps its releases across restarts; without it they are in memory only.',
  }),
  maxRevisions: integer(
    {
      flag: 'sandbox-max-revisions',
      summary: 'How many revisions of releases the sandbox keeps before it refuses more.',
      default: '10000',
    },
    { min: 1, max: 1_000_000 },
  ),
  maxBytes: bytes(
    {
      flag: 'sandbox-max-bytes',
      summary: 'How large they may be together.',
      default: '512MiB',
    },
    { min: '1MiB', max: '8GiB' },
  ),
  kubeconfig: path({
    flag: 'sandbox-kubeconfig',
    summary: "Where to write a kubeconfig for the sandbox's Kubernetes API, for your own kubectl.",
  }),
};
