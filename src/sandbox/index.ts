/** The sandbox: a Tiller in memory, to try and to test without a cluster. */

export {
  createSandboxKubernetes,
  type SandboxKubernetes,
  type SandboxKubernetesOptions,
} from './kubernetes/index.ts';
export type { Interceptor, SandboxCall } from './tiller/interceptor.ts';
export {
  type SandboxTiller,
  type SandboxTillerOptions,
  startSandboxTiller,
} from './tiller/start-sandbox-tiller.ts';
