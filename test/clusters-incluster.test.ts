import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import {
  createInclusterConnector,
  type InclusterConnectorOptions,
} from '../src/clusters/upstreams/connectors.ts';
import type { SocketAddress } from '../src/kubernetes/index.ts';
import { dial } from '../src/kubernetes/index.ts';
import type { SandboxKubernetes } from '../src/sandbox/index.ts';
import { sharedCertificate } from './support/certificates.ts';
import { createStage, echo, mountServiceAccount, never } from './support/cluster-stage.ts';

/** Connects as a Pod would, and tells which address was dialled. */
async function reach(
  t: TestContext,
  kubernetes: SandboxKubernetes,
  options: InclusterConnectorOptions & { namespace?: string; folder?: string } = {},
) {
  const dialled: SocketAddress[] = [];
  const { namespace = 'kube-system', ...others } = options;
  const connector = createInclusterConnector({
    folder: mountServiceAccount(t, kubernetes, namespace),
    environment: {
      KUBERNETES_SERVICE_HOST: '127.0.0.1',
      KUBERNETES_SERVICE_PORT: new URL(kubernetes.url).port,
    },
    open: ({ address, ...how }) => {
      dialled.push(address); // the cluster's names lead nowhere here: the API server will do
      return dial({ ...how, address: { host: '127.0.0.1', port: Number(new URL(kubernetes.url).port) } });
    },
    ...others,
  });
  const { stream, authority, target } = await connector.connect(never);
  stream.destroy();
  return { dialled: dialled[0], authority, target };
}

describe('the incluster connector', () => {
  test('finds the service of the own namespace, though there are others', async t => {
    const { kubernetes } = await createStage(t, echo);
    kubernetes.addTiller({ namespace: 'other', target: { path: '/nowhere' } });
    assert.deepEqual(await reach(t, kubernetes), {
      dialled: { host: '127.0.0.1', port: 44134 },
      authority: 'tiller-deploy.kube-system.svc:44134',
      target: 'service kube-system/tiller-deploy',
    });
  });

  test('looks in all namespaces where the own one has none', async t => {
    const { kubernetes } = await createStage(t, echo);
    const { target } = await reach(t, kubernetes, { namespace: 'other-namespace' });
    assert.equal(target, 'service kube-system/tiller-deploy');
  });

  test('refuses to choose between several, and lists them', async t => {
    const { kubernetes } = await createStage(t, echo);
    kubernetes.addTiller({ namespace: 'other', target: { path: '/nowhere' } });
    await assert.rejects(reach(t, kubernetes, { namespace: 'other-namespace' }), {
      code: 14,
      message:
        /several .*: kube-system\/tiller-deploy, other\/tiller-deploy\. Choose one with --tiller-namespace/,
    });
  });

  test('lets the given namespace decide', async t => {
    const { kubernetes } = await createStage(t, echo);
    kubernetes.addTiller({ namespace: 'other', target: { path: '/nowhere' } });
    const { target } = await reach(t, kubernetes, { tillerNamespace: 'other' });
    assert.equal(target, 'service other/tiller-deploy');
  });

  test('takes the address of a ready pod where there is no service', async t => {
    const { kubernetes } = await createStage(t, echo);
    kubernetes.addTiller({ namespace: 'other', target: { path: '/nowhere' }, service: false, ready: false });
    const pod = kubernetes.addTiller({ namespace: 'other', target: { path: '/nowhere' }, service: false });
    const { dialled, target } = await reach(t, kubernetes, { tillerNamespace: 'other' });
    assert.equal(target, `pod other/${pod}`);
    assert.deepEqual(dialled, { host: '127.0.0.1', port: 44134 });
  });

  test('prefers a pod of the own namespace to a service of another namespace, even one that is not ready', async t => {
    const { kubernetes } = await createStage(t, echo);
    kubernetes.addTiller({ namespace: 'own', target: { path: '/nowhere' }, service: false, ready: false });
    await assert.rejects(reach(t, kubernetes, { namespace: 'own' }), {
      message: /no ready pod labelled app=helm,name=tiller in namespace own; not ready: own\/tiller-deploy-/,
    });
    const pod = kubernetes.addTiller({ namespace: 'own', target: { path: '/nowhere' }, service: false });
    assert.equal((await reach(t, kubernetes, { namespace: 'own' })).target, `pod own/${pod}`);
  });

  test('says where it looked when there is none', async t => {
    const { kubernetes } = await createStage(t, echo);
    await assert.rejects(reach(t, kubernetes, { tillerNamespace: 'empty' }), {
      code: 14,
      message: 'finding Tiller: no service and no pod labelled app=helm,name=tiller in namespace empty',
    });
  });

  test('reads a rotated token', async t => {
    const { kubernetes } = await createStage(t, echo);
    const folder = mountServiceAccount(t, kubernetes, 'kube-system');
    kubernetes.rotateToken();
    await assert.rejects(reach(t, kubernetes, { folder }), {
      message: 'finding Tiller: the API server does not accept the credentials: Unauthorized',
    });
    writeFileSync(join(folder, 'token'), `${kubernetes.token}\n`);
    assert.equal((await reach(t, kubernetes, { folder })).target, 'service kube-system/tiller-deploy');
  });

  describe('dials, without the DNS of the cluster,', () => {
    const service = (spec: object) => ({ metadata: { name: 'tiller', namespace: 'n' }, spec });
    const ports = [{ name: 'tiller', port: 44135 }];
    const pod = {
      metadata: { name: 'tiller-1', namespace: 'n' },
      status: { podIP: '10.1.2.3', conditions: [{ type: 'Ready', status: 'True' }] },
    };
    const cases: [string, object, object[] | undefined, string][] = [
      ['the address of the service', { clusterIP: '10.96.0.9', ports }, [], '10.96.0.9'],
      ['its IPv6 address', { clusterIP: 'fd00::9', ports }, [], 'fd00::9'],
      ['a pod of a headless service', { clusterIP: 'None', ports }, [pod], '10.1.2.3'],
      ['the name of one whose pods it may not see', { clusterIP: 'None', ports }, undefined, 'tiller.n.svc'],
      ['the name of one without pods', { clusterIP: 'None', ports }, [], 'tiller.n.svc'],
      ['the name of one without an address', { type: 'ExternalName', ports }, [], 'tiller.n.svc'],
    ];
    for (const [what, spec, pods, host] of cases) {
      test(what, async t => {
        const { caPem, certPem: cert, keyPem: key } = await sharedCertificate();
        const api = createServer({ cert, key }, ({ url = '' }, response) => {
          const items = url.includes('/services?') ? [service(spec)] : pods;
          response.statusCode = items ? 200 : 403;
          response.end(JSON.stringify({ items }));
        }).listen(0, '127.0.0.1');
        await once(api, 'listening');
        t.after(() => api.close());
        const { port } = api.address() as AddressInfo;
        const url = `https://127.0.0.1:${port}`;
        const access = { url, token: 'token', caPem } as SandboxKubernetes;
        assert.deepEqual(await reach(t, access, { namespace: 'n' }), {
          dialled: { host, port: 44135 },
          authority: 'tiller.n.svc:44135', // what its certificate has to name
          target: 'service n/tiller',
        });
      });
    }

    test('and names the service where nothing answers', async t => {
      const { kubernetes } = await createStage(t, echo);
      const open = (options: Parameters<typeof dial>[0]) =>
        dial({ ...options, address: { host: '127.0.0.1', port: 9 } });
      await assert.rejects(reach(t, kubernetes, { open }), {
        code: 14,
        message: /^connecting to service kube-system\/tiller-deploy at 127\.0\.0\.1:9: connection refused$/,
      });
    });
  });

  test('says what is missing outside of a cluster', async () => {
    const outside = createInclusterConnector({ folder: '/nowhere', environment: {} });
    await assert.rejects(outside.connect(never), {
      code: 14,
      message: /reading the service account's namespace: no such file/,
    });
  });
});
