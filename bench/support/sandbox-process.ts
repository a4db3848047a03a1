import { createSandboxKubernetes, startSandboxTiller } from '../../src/sandbox/index.ts';
/**
 * A Tiller and a Kubernetes API in front of it, in a process of their own, as they are in reality: what they cost must
 * not be counted as the gateway's. Started by `child_process.fork`; sends where it is, and ends with its parent.
 */

export interface Whereabouts {
  readonly endpoint: string;
  readonly kubeconfig: string;
}

const tiller = await startSandboxTiller();
const { hostname: host, port } = new URL(`http://${tiller.address}`);
const kubernetes = await createSandboxKubernetes({ tillerTarget: { host, port: Number(port) } });
const whereabouts: Whereabouts = { endpoint: tiller.address, kubeconfig: kubernetes.kubeconfig() };
process.send?.(whereabouts);
process.once('disconnect', () => process.exit(0));
