/**
 * What `bench/records.ts` reads from, in a process of its own: an API server with release records and the Tiller that
 * keeps them there, which allows itself 5 requests a second; and a Tiller in memory without that limit. Started by
 * `child_process.fork`; ends with its parent.
 */
import {
  ClusterObjects,
  createSandboxKubernetes,
  createServerCertificate,
  startSandboxTiller,
} from '../../src/sandbox/index.ts';

export interface RecordPlaces {
  /** Of the API server with the records of 20 releases. */
  readonly kubeconfig: string;
  /** Of the Tiller without a limit. */
  readonly memoryTiller: string;
}

const certificate = await createServerCertificate();

/** A Tiller behind an API server that has its records. */
async function startLimited(): Promise<string> {
  const objects = new ClusterObjects();
  const tiller = await startSandboxTiller({ objects, apiRequestsPerSecond: 5 });
  return startKubernetes(objects, tiller.address);
}

async function startKubernetes(objects: ClusterObjects, address: string): Promise<string> {
  const [host = '', port] = address.split(':');
  const kubernetes = await createSandboxKubernetes({
    objects,
    certificate,
    keepsRecords: true,
    tillerTarget: { host, port: Number(port) },
  });
  return kubernetes.kubeconfig();
}

const kubeconfig = await startLimited();
const memory = await startSandboxTiller();

const places: RecordPlaces = { kubeconfig, memoryTiller: memory.address };
process.send?.(places);
process.once('disconnect', () => process.exit(0));
