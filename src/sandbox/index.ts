/** The sandbox: a Tiller in memory, to try and to test without a cluster. */
export type { Interceptor, SandboxCall } from './tiller/interceptor.ts';
export {
  type SandboxTiller,
  type SandboxTillerOptions,
  startSandboxTiller,
} from './tiller/start-sandbox-tiller.ts';
