/**
 * A hundred clusters in a process of their own: each an API server with a Tiller behind it that takes a while to list its
 * 20 releases, as Tiller does, which reads them from the API server. Started by `child_process.fork`; sends the
 * kubeconfigs, and ends with its parent.
 */
import { encodeMessage } from '../../src/codec/schema.ts';
import { createSandboxKubernetes, createServerCertificate } from '../../src/sandbox/index.ts';
import { startStubTiller } from '../../test/support/stub-tiller.ts';

export interface ClusterPlace {
  readonly kubeconfig: string;
  readonly listMs: number;
}

const count = 100;

/** How long listing takes, spread from a cluster nearby to one on the other side of the world. */
const listMsOf = (index: number) => 50 + Math.round((index * 450) / (count - 1));

const releases = Array.from({ length: 20 }, (_, index) => ({
  name: `release-${index}`,
  namespace: 'default',
  version: 1,
  info: {
    status: { code: 'DEPLOYED' as const },
    last_deployed: { seconds: 1_600_000_000 + index, nanos: 0 },
  },
  chart: {
    metadata: { name: 'web', version: '1.4.2' },
    templates: [{ name: 'templates/web.yaml', data: Buffer.alloc(8 * 1024, 'x') }],
  },
}));
const list = encodeMessage('hapi.services.tiller.ListReleasesResponse', { count: 20, total: 20, releases });
const certificate = await createServerCertificate();
const places: ClusterPlace[] = [];
for (let index = 0; index < count; index++) {
  const listMs = listMsOf(index);
  const stub = await startStubTiller({
    record: false,
    replies: {
      // a filter that matches nothing stands for a Tiller that answers at once
      ListReleases: call => ({ responses: [list], delayMs: call.request.includes('at-once') ? 0 : listMs }),
    },
  });
  const kubernetes = await createSandboxKubernetes({
    tillerTarget: { host: '127.0.0.1', port: stub.port },
    certificate,
    gatewayService: false,
  });
  places.push({ kubeconfig: kubernetes.kubeconfig(), listMs });
}
process.send?.(places);
process.once('disconnect', () => process.exit(0));
