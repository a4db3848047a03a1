import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import {
  createInclusterConnector,
  type InclusterConnectorOptions,
} from '../src/clusters/upstreams/service.ts';
import type { SocketAddress } from '../src/kubernetes/index.ts';
import { dial } from '../src/kubernetes/index.ts';
import type { SandboxKubernetes } from '../src/sandbox/index.ts';
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
      dialled: { host: 'tiller-deploy.kube-system.svc', port: 44134 },
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

  test('says what is missing outside of a cluster', async () => {
    const outside = createInclusterConnector({ folder: '/nowhere', environment: {} });
    await assert.rejects(outside.connect(never), {
      code: 14,
      message: /reading the service account's namespace: no such file/,
    });
  });
});
