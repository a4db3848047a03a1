import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { createKubeconfigAccess } from '../../kubernetes/index.ts';
import { findGateway, proxyPathOf } from './gateway.ts';

const services = '/api/v1/namespaces/kube-system/services';

interface Given {
  name: string;
  labels?: Record<string, string>;
  ports?: { name?: string; port: number }[];
}

/** Asks an API server that has these services, or answers with a status. */
async function find(t: TestContext, given: readonly Given[] | number): Promise<string | undefined> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    if (typeof given === 'number') return void response.writeHead(given).end('{}');
    const items = given.map(({ name, labels, ports }) => ({
      metadata: { name, namespace: 'kube-system', labels },
      spec: { ports },
    }));
    response.end(JSON.stringify({ kind: 'ServiceList', items }));
  }).listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const contents = JSON.stringify({
    'current-context': 'c',
    contexts: [{ name: 'c', context: { cluster: 'c' } }],
    clusters: [
      { name: 'c', cluster: { server: `http://127.0.0.1:${(server.address() as AddressInfo).port}` } },
    ],
  });
  const access = createKubeconfigAccess({ kubeconfig: { contents } });
  const path = await findGateway(access, t.signal);
  assert.deepEqual(asked, [`${services}?labelSelector=kubernetes.io%2Fcluster-service%3Dtrue`]);
  return path;
}

describe('the gateway of a cluster', () => {
  const dns = {
    name: 'kube-dns',
    labels: { 'kubernetes.io/name': 'CoreDNS' },
    ports: [{ name: 'dns', port: 53 }],
  };

  const cases: readonly [string, Given, string][] = [
    ['by its name', { name: 'swift', ports: [{ name: 'http', port: 9855 }] }, 'swift:http'],
    [
      'by the name that is shown',
      { name: 'x', labels: { 'kubernetes.io/name': 'Swift' }, ports: [{ port: 80 }] },
      'x',
    ],
    ['by the label of our manifests', { name: 'y', labels: { app: 'tiller-gateway' } }, 'y'],
    ['with TLS by its port', { name: 'swift', ports: [{ port: 443 }] }, 'https:swift:'],
    ['with TLS by its name', { name: 'swift', ports: [{ name: 'https', port: 9 }] }, 'https:swift:https'],
  ];
  for (const [how, service, name] of cases) {
    test(`is cases ${how}`, async t => {
      assert.equal(await find(t, [dns, service]), `${services}/${name}/proxy`);
    });
  }

  test('is none of the other services', async t => {
    assert.equal(await find(t, [dns]), undefined);
  });

  test('is not known where the API server does not say', async t => {
    await assert.rejects(find(t, 403), {
      code: 14,
      message: /^finding the gateway: the API server forbids it/,
    });
  });
});

test('a service of the file is put into the path as it stands', () => {
  assert.equal(proxyPathOf('kube-system/swift:http'), `${services}/swift:http/proxy`);
  assert.equal(proxyPathOf('kube-system/https:swift:https'), `${services}/https:swift:https/proxy`);
  assert.equal(proxyPathOf('kube-system/https:swift'), `${services}/https:swift:/proxy`);
  assert.equal(proxyPathOf('kube-system/swift'), `${services}/swift/proxy`);
});
