/**
 * What `bench/records.ts` reads from, in a process of its own: an API server with release records and the Tiller that
 * keeps them there, which allows itself 5 requests a second; a Tiller in memory without that limit; and an API server
 * with 10,000 revisions of 100 KiB. Started by `child_process.fork`; ends with its parent.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { encodeMessage } from '../../src/codec/index.ts';
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
  /** Of the API server with 10,000 revisions. */
  readonly large: string;
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

/** Of each release. Half of it is gone by gzip, and a third comes back by base64. */
const releaseBytes = 100 * 1024;
const body = gzipSync(
  encodeMessage('hapi.release.Release', { manifest: randomBytes(releaseBytes / 2).toString('hex') }),
);

function recordOf(index: number): Buffer {
  const name = `release-${Math.floor(index / 10)}`;
  const version = (index % 10) + 1;
  const head = encodeMessage('hapi.release.Release', {
    name,
    version,
    namespace: 'default',
    info: {
      status: {
        code: version === 10 ? 'DEPLOYED' : 'SUPERSEDED',
        notes: 'Thank you for installing.\n'.repeat(8),
      },
      first_deployed: { seconds: 1_600_000_000 },
      last_deployed: { seconds: 1_600_000_000 + index },
      Description: 'Upgrade complete',
    },
    chart: { metadata: { name: 'web', version: '1.4.2', description: 'A web server', apiVersion: 'v1' } },
    config: { raw: 'replicas: 3\nimage:\n  tag: "1.2.3"\n'.repeat(4) },
  });
  const metadata = {
    name: `${name}.v${version}`,
    namespace: 'kube-system',
    resourceVersion: String(index + 1),
    labels: { OWNER: 'TILLER', NAME: name, VERSION: String(version) },
  };
  // a gzip stream may have several members
  const release = Buffer.concat([gzipSync(head), body]).toString('base64');
  return Buffer.from(JSON.stringify({ metadata, data: { release } }));
}

/**
 * An API server with 10,000 revisions that costs next to nothing, so that the gateway is what is measured: its answers
 * are ready.
 */
async function startLarge(): Promise<string> {
  const records = Array.from({ length: 10_000 }, (_, index) => recordOf(index));
  const pod = {
    metadata: { name: 'tiller-1', namespace: 'kube-system' },
    status: { conditions: [{ type: 'Ready', status: 'True' }] },
  };
  const server = createServer({ key: certificate.keyPem, cert: certificate.certPem }, (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'https://api');
    response.setHeader('content-type', 'application/json');
    if (pathname.endsWith('/selfsubjectaccessreviews')) response.end('{"status":{"allowed":true}}');
    else if (pathname.endsWith('/pods')) response.end(JSON.stringify({ items: [pod] }));
    else if (searchParams.has('watch')) response.flushHeaders();
    else {
      const from = Number(searchParams.get('continue') ?? 0);
      const to = from + Number(searchParams.get('limit'));
      const metadata = { resourceVersion: '10000', ...(to < records.length && { continue: String(to) }) };
      response.write(`{"metadata":${JSON.stringify(metadata)},"items":[`);
      for (const [index, record] of records.slice(from, to).entries()) {
        if (index > 0) response.write(',');
        response.write(record);
      }
      response.end(']}');
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const authority = Buffer.from(certificate.caPem).toString('base64');
  return JSON.stringify({
    clusters: [{ name: 'large', cluster: { server: url, 'certificate-authority-data': authority } }],
    users: [{ name: 'large', user: { token: 'bench' } }],
    contexts: [{ name: 'large', context: { cluster: 'large', user: 'large' } }],
    'current-context': 'large',
  });
}

const places: RecordPlaces = { kubeconfig, memoryTiller: memory.address, large: await startLarge() };
process.send?.(places);
process.once('disconnect', () => process.exit(0));
