import type { Config } from '../config/index.ts';
import {
  ClusterObjects,
  createSandboxKubernetes,
  startSandboxTiller,
  type Target,
} from '../sandbox/index.ts';

/** A Tiller in memory with a small Kubernetes API in front of it, reached as a real one would be: by port-forward. */
export type OpenSandbox = Awaited<ReturnType<typeof openSandbox>>;

/**
 * Starts the sandbox of `--connector sandbox`. Its kubeconfig stays in memory, and is written to a file where
 * `--sandbox-kubeconfig` asks for it.
 */
export async function openSandbox({ sandbox }: Config, report: (problem: string) => void) {
  const objects = new ClusterObjects({ maxBytes: 2 * sandbox.maxBytes }); // releases, and what they make
  const starting = startSandboxTiller({
    objects,
    listen: 'unix',
    folder: sandbox.folder,
    bounds: { maxRevisions: sandbox.maxRevisions, maxBytes: sandbox.maxBytes },
    report,
  });
  // at once: making certificates takes a while, on other threads
  const kubernetes = await createSandboxKubernetes({
    objects,
    keepsRecords: true,
    tillerTarget: starting.then(({ address }) => ({ path: address.replace(/^unix:/, '') })),
  });
  const tiller = await starting;
  if (sandbox.kubeconfig !== undefined) await kubernetes.writeKubeconfig(sandbox.kubeconfig);
  return {
    /** Of its API server, as text. */
    kubeconfig: kubernetes.kubeconfig(),
    /** Puts the gateway behind the sandbox's Service `kube-system/swift`. */
    setGateway: (target: Target) => kubernetes.setGateway(target),
    close: async () => {
      await kubernetes.close();
      await tiller.stop();
    },
  };
}
