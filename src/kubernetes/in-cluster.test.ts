import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createServer } from 'node:tls';
import { createAuthority } from '../../test/support/certificates.ts';
import { createClusterNames } from './in-cluster.ts';

test('the names of a Service, which nobody outside can own', t => {
  const folder = mkdtempSync(join(tmpdir(), 'names-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const resolvConf = join(folder, 'resolv.conf');
  writeFileSync(
    resolvConf,
    'search dev.svc.corp.example svc.corp.example corp.example\nnameserver 10.0.0.10\n',
  );
  const environment = { KUBERNETES_SERVICE_HOST: 'api.k8s.example', SWIFT_SERVICE_HOST: '10.0.0.7' };
  const { isClusterName } = createClusterNames({ environment, folder, resolvConf });
  for (const host of ['swift', 'swift.dev', 'a.dev.svc', 'a.dev.svc.corp.example', 'api.k8s.example'])
    assert.ok(isClusterName(host), host);
  for (const host of [
    'evil.dev',
    'evil.example',
    'a.other.svc',
    'a.dev.svc.evil.example',
    'a.dev.svc.cluster.local',
    'a.b.dev.svc',
    'corp.example',
    '.dev.svc',
    '',
  ])
    assert.ok(!isClusterName(host), host);
  writeFileSync(join(folder, 'namespace'), 'kube-system\n');
  const inSystem = createClusterNames({ environment: {}, folder, resolvConf: '/nowhere' });
  for (const host of ['swift.kube-system', 'swift.kube-system.svc', 'swift.kube-system.svc.cluster.local'])
    assert.ok(inSystem.isClusterName(host), host);
  assert.ok(!inSystem.isClusterName('swift.default'));
});

test("the names in the API server's certificate, where the cluster's CA has signed it", async t => {
  const folder = mkdtempSync(join(tmpdir(), 'names-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const authority = createAuthority('cluster');
  const { cert, key } = authority.issue('api', ['k8s.example', '*.eks.example']);
  const server = createServer({ cert, key }).listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const environment = {
    KUBERNETES_SERVICE_HOST: '127.0.0.1',
    KUBERNETES_SERVICE_PORT: String((server.address() as AddressInfo).port),
  };
  const namesWith = async (ca: string) => {
    writeFileSync(join(folder, 'ca.crt'), ca);
    const names = createClusterNames({ environment, folder, resolvConf: '/nowhere' });
    assert.ok(!names.isClusterName('k8s.example'));
    await names.refresh();
    return names;
  };
  const { isClusterName } = await namesWith(authority.ca);
  for (const host of ['k8s.example', 'a.eks.example']) assert.ok(isClusterName(host), host);
  for (const host of ['evil.example', 'a.b.eks.example', 'x.k8s.example'])
    assert.ok(!isClusterName(host), host);
  const strange = await namesWith(createAuthority('another').ca);
  assert.ok(!strange.isClusterName('k8s.example'));
});
