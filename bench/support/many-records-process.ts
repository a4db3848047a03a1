/**
 * An API server with 10,000 revisions of 1,000 releases, 100 KiB each, in a process of its own. Its answers lie ready, so
 * that the gateway is what is measured. Started by `child_process.fork`, which it tells its kubeconfig; ends with its
 * parent.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { encodeMessage } from '../../src/codec/index.ts';
import { createServerCertificate } from '../../src/sandbox/index.ts';

const certificate = await createServerCertificate();

/** Of each release. Half of it is gone by gzip, and a third comes back by base64. */
const releaseBytes = 100 * 1024;
const body = gzipSync(
  encodeMessage('hapi.release.Release', { manifest: randomBytes(releaseBytes / 2).toString('hex') }),
);

const revisions = 10;

function recordOf(index: number): Buffer {
  const name = `release-${Math.floor(index / revisions)}`;
  const version = (index % revisions) + 1;
  const code = statusOf(index);
  const head = encodeMessage('hapi.release.Release', {
    name,
    version,
    namespace: 'default',
    info: {
      status: { code, notes: 'Thank you for installing.\n'.repeat(8) },
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
    labels: { OWNER: 'TILLER', NAME: name, VERSION: String(version), STATUS: code },
  };
  // a gzip stream may have several members
  const release = Buffer.concat([gzipSync(head), body]).toString('base64');
  return Buffer.from(`,${JSON.stringify({ metadata, data: { release } })}`);
}

function statusOf(index: number): 'DEPLOYED' | 'SUPERSEDED' {
  return index % revisions === revisions - 1 ? 'DEPLOYED' : 'SUPERSEDED';
}

/** Objects one after the other, each behind a comma. */
interface Objects {
  readonly bytes: Buffer;
  /** Where each begins, and the end. */
  readonly starts: readonly number[];
}

function join(objects: readonly Buffer[]): Objects {
  const starts = [0];
  for (const { length } of objects) starts.push(starts.at(-1)! + length);
  return { bytes: Buffer.concat(objects), starts };
}

function pageOf(
  { bytes, starts }: Objects,
  from: number,
  limit: number,
): readonly [head: string, items: Buffer] {
  const to = Math.min(from + limit, starts.length - 1);
  const metadata = { resourceVersion: '10000', ...(to < starts.length - 1 && { continue: String(to) }) };
  return [`{"metadata":${JSON.stringify(metadata)},"items":[`, bytes.subarray(starts[from]! + 1, starts[to])];
}

const records = Array.from({ length: 1_000 * revisions }, (_, index) => recordOf(index));
const all = join(records);
const current = join(records.filter((_, index) => statusOf(index) !== 'SUPERSEDED'));

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
    const objects = searchParams.get('labelSelector')?.includes('!=SUPERSEDED') ? current : all;
    const from = Number(searchParams.get('continue') ?? 0);
    const [head, items] = pageOf(objects, from, Number(searchParams.get('limit')));
    response.write(head);
    response.write(items);
    response.end(']}');
  }
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
const authority = Buffer.from(certificate.caPem).toString('base64');
process.send?.(
  JSON.stringify({
    clusters: [{ name: 'large', cluster: { server: url, 'certificate-authority-data': authority } }],
    users: [{ name: 'large', user: { token: 'bench' } }],
    contexts: [{ name: 'large', context: { cluster: 'large', user: 'large' } }],
    'current-context': 'large',
  }),
);
process.once('disconnect', () => process.exit(0));
