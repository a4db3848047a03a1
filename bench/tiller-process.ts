/**
 * A Tiller and a Kubernetes API in front of it, in a process of their own, as they are in reality: what they cost must
 * not be counted as the gateway's. Started by `child_process.fork`; sends where it is, and ends with its parent.
 */
import { createSandboxKubernetes } from '../src/sandbox/kubernetes/index.ts';
import { startStubTiller } from '../test/support/stub-tiller.ts';

export interface Whereabouts {
  readonly endpoint: string;
  readonly kubeconfig: string;
}

const release = Buffer.alloc(256 * 1024, 1);
const stub = await startStubTiller({
  record: false,
  replies: { GetReleaseContent: { responses: [release] } },
});
const kubernetes = await createSandboxKubernetes({ tillerTarget: { host: '127.0.0.1', port: stub.port } });
const whereabouts: Whereabouts = { endpoint: stub.address, kubeconfig: kubernetes.kubeconfig() };
process.send?.(whereabouts);
process.once('disconnect', () => process.exit(0));
