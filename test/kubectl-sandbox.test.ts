import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { createSandboxKubernetes, type SandboxKubernetes } from '../src/sandbox/index.ts';
import { startGatewayProcess } from './support/gateway-process.ts';
import { kubectl, withoutKubectl } from './support/kubectl.ts';

interface Stage {
  readonly kubernetes: SandboxKubernetes;
  readonly kubeconfig: string;
}

/** A sandbox cluster with a web server in the gateway's place that tells what it was asked. */
async function createStage(t: TestContext): Promise<Stage> {
  const gateway = createServer((request, response) => {
    response.end(JSON.stringify({ url: request.url, headers: request.headers }));
  });
  gateway.listen(0, '127.0.0.1');
  await once(gateway, 'listening');
  const folder = mkdtempSync(join(tmpdir(), 'kubectl-'));
  const kubernetes = await createSandboxKubernetes({ tillerTarget: { path: join(folder, 'none') } });
  kubernetes.setGateway({ host: '127.0.0.1', port: (gateway.address() as AddressInfo).port });
  const kubeconfig = join(folder, 'config');
  await kubernetes.writeKubeconfig(kubeconfig);
  t.after(async () => {
    await kubernetes.close();
    gateway.close();
    rmSync(folder, { recursive: true });
  });
  return { kubernetes, kubeconfig };
}

/** As `curl --cacert CA -H "Authorization: Bearer TOKEN" URL`. */
async function curl(
  url: string,
  { caPem, token }: SandboxKubernetes,
): Promise<{ status: number; body: string }> {
  const sent = request(url, { ca: caPem, headers: { authorization: `Bearer ${token}` }, agent: false }).end();
  const [response] = await once(sent, 'response');
  let body = '';
  for await (const chunk of response) body += chunk;
  return { status: response.statusCode, body };
}

describe("kubectl against the sandbox's API", { skip: withoutKubectl }, () => {
  test('finds Tiller by its labels', async t => {
    const { kubeconfig } = await createStage(t);
    const output = await kubectl(['get', 'pods', '-n', 'kube-system', '-l', 'app=helm'], kubeconfig);
    const [head = '', row = '', ...others] = output.trimEnd().split('\n');
    assert.match(head, /^NAME +READY +STATUS +RESTARTS +AGE$/);
    assert.match(row, /^tiller-deploy-\w+ +1\/1 +Running +0 +\d+s$/);
    assert.deepEqual(others, []);
  });

  test('prints objects and other resources', async t => {
    const { kubeconfig } = await createStage(t);
    const selector = ['-n', 'kube-system', '-l', 'app=helm,name=tiller'];
    const pods = JSON.parse(await kubectl(['get', 'pods', ...selector, '-o', 'json'], kubeconfig));
    assert.equal(pods.items[0].spec.containers[0].ports[0].containerPort, 44134);
    assert.match(
      await kubectl(['get', 'svc,ep,ns', '-A'], kubeconfig),
      /service\/swift +ClusterIP +127\.0\.0\.1 +<none> +9855\/TCP/,
    );
  });

  test('says that a pod is not there, and that the token is wrong', async t => {
    const { kubernetes, kubeconfig } = await createStage(t);
    await assert.rejects(
      kubectl(['get', 'pod', 'none', '-n', 'kube-system'], kubeconfig),
      /pods "none" not found/,
    );
    kubernetes.rotateToken();
    await assert.rejects(kubectl(['get', 'pods'], kubeconfig), /Unauthorized|must be logged in/);
  });

  test('cluster-info lists the gateway with a URL that works', async t => {
    const { kubernetes, kubeconfig } = await createStage(t);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: kubectl colours its output
    const output = (await kubectl(['cluster-info'], kubeconfig)).replaceAll(/\x1b\[[\d;]*m/g, '');
    const url = /^Swift is running at (\S+)$/m.exec(output)?.[1];
    assert.equal(url, `${kubernetes.url}/api/v1/namespaces/kube-system/services/swift:http/proxy`);
    const { status, body } = await curl(`${url}/tiller/v2/releases/json?all=true`, kubernetes);
    assert.equal(status, 200);
    assert.equal(JSON.parse(body).url, '/tiller/v2/releases/json?all=true');
  });

  test('get --raw goes through the service proxy, as the facts say', async t => {
    const { kubernetes, kubeconfig } = await createStage(t);
    const path = '/api/v1/namespaces/kube-system/services/swift:http/proxy/tiller/v2/releases/json';
    const { headers } = JSON.parse(await kubectl(['get', '--raw', path], kubeconfig)) as {
      headers: IncomingHttpHeaders;
    };
    assert.equal(headers.authorization, undefined);
    assert.equal(headers.host, new URL(kubernetes.url).host);
    assert.equal(headers['x-forwarded-uri'], path);
    assert.equal(headers['x-forwarded-for'], '127.0.0.1');
  });

  test('the default run: kubectl, API server, gateway, port-forward, Tiller', async t => {
    const folder = mkdtempSync(join(tmpdir(), 'kubectl-'));
    t.after(() => rmSync(folder, { recursive: true }));
    const kubeconfig = join(folder, 'config');
    await startGatewayProcess(t, ['--connector=sandbox', `--sandbox-kubeconfig=${kubeconfig}`]);
    const path = '/api/v1/namespaces/kube-system/services/swift:http/proxy/tiller/v2';
    assert.equal(await kubectl(['get', '--raw', `${path}/releases/json`], kubeconfig), '{}');
    const { Version } = JSON.parse(await kubectl(['get', '--raw', `${path}/version/json`], kubeconfig));
    assert.equal(Version.sem_ver, 'v2.17.0');
  });

  test('the service proxy finds a gateway that listens on another loopback address', async t => {
    const folder = mkdtempSync(join(tmpdir(), 'kubectl-'));
    t.after(() => rmSync(folder, { recursive: true }));
    const kubeconfig = join(folder, 'config');
    const gateway = await startGatewayProcess(t, [
      '--addr=127.0.0.2:0',
      `--sandbox-kubeconfig=${kubeconfig}`,
    ]);
    await gateway.seen(/^listening on 127\.0\.0\.2:/);
    const path = '/api/v1/namespaces/kube-system/services/swift:http/proxy/healthz';
    assert.match(await kubectl(['get', '--raw', path], kubeconfig), /alive|ok/);
  });

  test('the kubeconfig is readable by its owner only', async t => {
    const { kubeconfig } = await createStage(t);
    assert.equal(statSync(kubeconfig).mode & 0o777, 0o600);
  });
});
