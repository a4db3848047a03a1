/** The sandbox: a Tiller in memory and a small Kubernetes API, to try and to test without a cluster. */
export { createServerCertificate } from './kubernetes/certificate.ts';
export type { Target } from './kubernetes/cluster-state.ts';
export {
  createSandboxKubernetes,
  type SandboxKubernetes,
  type SandboxKubernetesOptions,
} from './kubernetes/sandbox-kubernetes.ts';
export { ClusterObjects } from './objects/cluster-objects.ts';
export type { Interceptor, SandboxCall } from './tiller/call-front.ts';
export {
  type SandboxTiller,
  type SandboxTillerOptions,
  startSandboxTiller,
} from './tiller/start-sandbox-tiller.ts';
