import type { Config } from '../config/index.ts';
import {
  ClusterObjects,
  createSandboxKubernetes,
  startSandboxTiller,
  type Target,
} from '../sandbox/index.ts';

/** A Tiller in memory with a small Kubernetes API in front of it, reached as a real one would be: by port-forward. */
export interface OpenSandbox {
  /** Of its API server, as text. */
  readonly kubeconfig: string;
  /** Puts the gateway behind the sandbox's Service `kube-system/swift`. */
  setGateway(target: Target): void;
  close(): Promise<void>;
}

/**
 * Starts the sandbox of `--connector sandbox`. Its kubeconfig stays in memory, and is written to a file where
 * `--sandbox-kubeconfig` asks for it.
 */
export async function openSandbox(
  { sandbox }: Config,
  report: (problem: string) => void,
): Promise<OpenSandbox> {
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
    kubeconfig: kubernetes.kubeconfig(),
    setGateway: target => kubernetes.setGateway(target),
    close: async () => {
      await kubernetes.close();
      await tiller.stop();
    },
  };
}
