/** The real kubectl reads, watches and writes objects of the sandbox's cluster. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, type TestContext, test } from 'node:test';
import { createSandboxKubernetes } from '../src/sandbox/index.ts';
import { sharedCertificate } from './support/certificates.ts';
import { eventually } from './support/eventually.ts';
import { startGatewayProcess } from './support/gateway-process.ts';
import { kubectl, kubectlProgram, withoutKubectl } from './support/kubectl.ts';

const bounded = { timeout: 60_000 };

const web = (replicas: number, env: string) => `
apiVersion: v1
kind: Namespace
metadata: {name: team}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: team, labels: {app: web}}
spec:
  replicas: ${replicas}
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "web:1", env: [${env}]}]}
`;

async function startCluster(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'kubectl-'));
  const kubernetes = await createSandboxKubernetes({
    tillerTarget: { path: join(folder, 'none') },
    certificate: await sharedCertificate(),
  });
  t.after(async () => {
    await kubernetes.close();
    rmSync(folder, { recursive: true });
  });
  const kubeconfig = join(folder, 'config');
  await kubernetes.writeKubeconfig(kubeconfig);
  const file = join(folder, 'objects.yaml');
  return {
    run: (...args: string[]) => kubectl(args, kubeconfig),
    /** Writes a manifest and gives its path. */
    manifest(text: string): string {
      writeFileSync(file, text);
      return file;
    },
  };
}

/** A kubectl that goes on until the test ends: `lines` waits for so many lines of its output. */
function watch(t: TestContext, args: readonly string[], kubeconfig: string) {
  const child = spawn(kubectlProgram, args, {
    env: { ...process.env, KUBECONFIG: kubeconfig, HOME: '/nonexistent' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(async () => {
    if (child.exitCode !== null) return;
    child.kill();
    await once(child, 'exit');
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return async (matching: RegExp): Promise<string> => {
    for (;;) {
      const { value, done } = await lines.next();
      if (done) throw new Error(`kubectl ended before a line like ${matching}`);
      if (matching.test(value)) return value.replaceAll(/ {2,}/g, ' ');
    }
  };
}

describe("kubectl and the objects of the sandbox's cluster", { skip: withoutKubectl }, () => {
  test('create, apply, patch, scale, label, replace, delete', bounded, async t => {
    const { run, manifest } = await startCluster(t);
    const file = manifest(web(2, '{name: A, value: "1"}, {name: B, value: "2"}'));
    assert.match(await run('create', '-f', file, '--save-config'), /deployment\.apps\/web created/);
    await assert.rejects(run('create', '-f', file), /deployments\.apps "web" already exists/);
    manifest(web(3, '{name: A, value: "1"}'));
    assert.match(await run('apply', '-f', file), /deployment\.apps\/web configured/);
    assert.match(await run('apply', '-f', file), /deployment\.apps\/web unchanged/);
    const show = (path: string) => run('get', 'deploy/web', '-n', 'team', '-o', `jsonpath={${path}}`);
    assert.equal(await show('.spec.replicas'), '3');
    assert.equal(await show('.spec.template.spec.containers[0].env[*].name'), 'A');
    await run('set', 'image', 'deploy/web', 'web=web:2', '-n', 'team');
    await run('scale', 'deploy/web', '--replicas=5', '-n', 'team');
    await run('label', 'deploy/web', 'tier=front', '-n', 'team');
    await run(
      'patch',
      'deploy/web',
      '-n',
      'team',
      '--type=json',
      '-p',
      '[{"op":"remove","path":"/metadata/labels/app"}]',
    );
    assert.equal(await show('.spec.template.spec.containers[0].image'), 'web:2');
    assert.equal(await show('.spec.replicas'), '5');
    assert.equal(await show('.metadata.labels'), '{"tier":"front"}');
    assert.match(await run('apply', '--server-side', '-f', file), /deployment\.apps\/web serverside-applied/);
    assert.match(await run('replace', '-f', file), /deployment\.apps\/web replaced/);
    assert.match(await run('delete', 'namespace', 'team'), /namespace "team" deleted/);
    await assert.rejects(run('get', 'deploy/web', '-n', 'team'), /not found/);
  });

  test('create and auth can-i send protobuf', bounded, async t => {
    const { run } = await startCluster(t);
    await run('create', 'namespace', 'team');
    await run('create', 'configmap', 'c', '--from-literal=a=1', '--from-literal=empty=');
    await run('create', 'secret', 'generic', 's', '--from-literal=a=b');
    await run('create', 'serviceaccount', 'a', '-n', 'team');
    assert.equal(await run('get', 'configmap', 'c', '-o', 'jsonpath={.data}'), '{"a":"1","empty":""}');
    assert.equal(await run('get', 'secret', 's', '-o', 'jsonpath={.type} {.data}'), 'Opaque {"a":"Yg=="}');
    assert.equal(await run('get', 'serviceaccount', '-n', 'team', '-o', 'name'), 'serviceaccount/a\n');
    assert.equal(await run('auth', 'can-i', 'get', 'pods'), 'yes\n');
  });

  test('lists kinds, selects, describes, and prints tables', bounded, async t => {
    const { run, manifest } = await startCluster(t);
    await run('apply', '-f', manifest(web(2, '')));
    const kinds = await run('api-resources', '--no-headers', '-o', 'name');
    for (const name of ['configmaps', 'deployments.apps', 'cronjobs.batch', 'ingresses.networking.k8s.io']) {
      assert.ok(kinds.split('\n').includes(name), name);
    }
    assert.match(await run('get', 'all', '-A'), /team +deployment\.apps\/web +0\/2 +0 +0 +\d+s/);
    assert.match(
      await run('get', 'deploy', '-A', '-l', 'app in (web,x)', '-o', 'name'),
      /^deployment\.apps\/web\n$/,
    );
    assert.equal(await run('get', 'deploy', '-A', '-l', 'app!=web', '-o', 'name'), '');
    assert.match(await run('describe', 'deploy/web', '-n', 'team'), /Image: +web:1/);
    await assert.rejects(run('get', 'nosuch'), /doesn't have a resource type "nosuch"/);
  });

  test('a kind that a CustomResourceDefinition brings', bounded, async t => {
    const { run, manifest } = await startCluster(t);
    const definition = manifest(`
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: crons.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {plural: crons, singular: cron, kind: Cron, shortNames: [cr]}
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]
`);
    await run('create', '-f', definition);
    const object = manifest(
      'apiVersion: example.com/v1\nkind: Cron\nmetadata: {name: x, namespace: default}\nspec: {a: 1}\n',
    );
    await run('apply', '-f', object);
    assert.equal(await run('get', 'cr', '-n', 'default', '-o', 'name'), 'cron.example.com/x\n');
    assert.equal(await run('get', 'crons/x', '-n', 'default', '-o', 'jsonpath={.spec.a}'), '1');
  });

  test('the default run: watches see releases and what they make', bounded, async t => {
    const folder = mkdtempSync(join(tmpdir(), 'kubectl-'));
    t.after(() => rmSync(folder, { recursive: true }));
    const kubeconfig = join(folder, 'config');
    const gateway = await startGatewayProcess(t, [
      '--connector=sandbox',
      `--sandbox-kubeconfig=${kubeconfig}`,
    ]);
    const records = watch(
      t,
      ['get', 'configmaps', '-A', '-w', '-L', 'STATUS', '--output-watch-events'],
      kubeconfig,
    );
    const objects = watch(t, ['get', 'deployments', '-A', '-w', '--output-watch-events'], kubeconfig);
    const file = join(folder, 'marker.yaml');
    writeFileSync(file, marker);
    await kubectl(['create', '-f', file], kubeconfig); // the watches are open when they show this
    await records(/ADDED .* marker/);
    await objects(/ADDED .* marker/);
    const path = `http://127.0.0.1:${gateway.port}/tiller/v2/releases/web/json`;
    const template = web(2, '').split('---')[1]!.replace('team', 'default');
    const chart = {
      metadata: { name: 'web', version: '0.0.1' },
      templates: [{ name: 'templates/web.yaml', data: Buffer.from(template).toString('base64') }],
    };
    const body = JSON.stringify({ chart, namespace: 'default' });
    const installed = await fetch(path, { method: 'POST', body });
    assert.equal(installed.status, 200, await installed.text());
    assert.match(await records(/web\.v1/), /^ADDED kube-system web\.v1 1 \d+s PENDING_INSTALL$/);
    assert.match(await records(/web\.v1/), /^MODIFIED kube-system web\.v1 1 \d+s DEPLOYED$/);
    assert.match(await objects(/web/), /^ADDED default web 2\/2 2 2 \d+s$/);
    await eventually(async () => {
      const { headers, status } = await fetch(path.replace('/json', '/content/json'));
      assert.equal(status, 200);
      return headers.get('tiller-gateway-reads')?.startsWith('records');
    });
    const deleted = await fetch(`${path}?purge=true`, { method: 'DELETE' });
    assert.equal(deleted.status, 200, await deleted.text());
    assert.match(await objects(/web/), /^DELETED default web /);
    assert.match(await records(/DELETED/), /^DELETED kube-system web\.v1 /);
  });
});

const marker = `
apiVersion: v1
kind: ConfigMap
metadata: {name: marker, namespace: default}
---
${web(1, '').split('---')[1]!.replaceAll('team', 'default').replaceAll('web', 'marker')}`;
