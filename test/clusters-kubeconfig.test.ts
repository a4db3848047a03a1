import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { type AddressInfo, connect as connectSocket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { createKubeconfigConnector } from '../src/clusters/upstreams/connectors.ts';
import { createServerCertificate, type SandboxKubernetes } from '../src/sandbox/index.ts';
import { sharedCertificate } from './support/certificates.ts';
import { createStage, echo, never } from './support/cluster-stage.ts';
import { eventually } from './support/eventually.ts';

function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'kubeconfig-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** The sandbox's kubeconfig with other credentials and other properties of the cluster. */
function withUser(kubernetes: SandboxKubernetes, user: object, cluster: object = {}): { contents: string } {
  const document = JSON.parse(kubernetes.kubeconfig());
  document.users[0].user = user;
  Object.assign(document.clusters[0].cluster, cluster);
  return { contents: JSON.stringify(document) };
}

describe('the kubeconfig connector', () => {
  test('asks a plugin again when the API server refuses its token', async t => {
    const { kubernetes, connect } = await createStage(t, echo);
    const folder = temporaryFolder(t);
    const apiVersion = 'client.authentication.k8s.io/v1beta1';
    const tokenFile = join(folder, 'token');
    const command = join(folder, 'plugin');
    writeFileSync(tokenFile, kubernetes.token);
    writeFileSync(
      command,
      `#!/bin/sh\nprintf '{"apiVersion":"${apiVersion}","status":{"token":"%s"}}' "$(cat ${tokenFile})"\n`,
      { mode: 0o700 },
    );
    const connector = createKubeconfigConnector({
      kubeconfig: withUser(kubernetes, { exec: { apiVersion, command } }),
    });
    (await connector.connect(never)).stream.destroy();
    writeFileSync(tokenFile, kubernetes.rotateToken());
    const { target, stream } = await connector.connect(never);
    stream.destroy();
    assert.match(target, /^pod kube-system\//);
    await assert.doesNotReject(connect());
  });

  test('reads a token file that was written anew', async t => {
    const { kubernetes } = await createStage(t, echo);
    const tokenFile = join(temporaryFolder(t), 'token');
    writeFileSync(tokenFile, 'expired');
    const connector = createKubeconfigConnector({ kubeconfig: withUser(kubernetes, { tokenFile }) });
    await assert.rejects(connector.connect(never), {
      code: 14,
      message: 'finding Tiller: the API server does not accept the credentials: Unauthorized',
    });
    writeFileSync(tokenFile, kubernetes.token);
    (await connector.connect(never)).stream.destroy();
  });

  test('goes through a proxy, for the look-up and for the tunnel', async t => {
    const { kubernetes } = await createStage(t, echo);
    const asked: string[] = [];
    const proxy = createServer();
    proxy.on('connect', (request, client) => {
      asked.push(`${request.url} ${request.headers['proxy-authorization']}`);
      const server = connectSocket(Number(new URL(kubernetes.url).port), '127.0.0.1', () => {
        client.write('HTTP/1.1 200 OK\r\n\r\n');
        server.pipe(client).pipe(server);
      });
      client.on('error', () => server.destroy());
      server.on('error', () => client.destroy());
    });
    proxy.listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    t.after(() => proxy.close());
    const { port } = proxy.address() as AddressInfo;
    const cluster = { 'proxy-url': `http://user:pass@127.0.0.1:${port}` };
    const kubeconfig = withUser(kubernetes, { token: kubernetes.token }, cluster);
    const { stream } = await createKubeconfigConnector({ kubeconfig }).connect(never);
    stream.write('through');
    const [chunk] = await once(stream, 'data');
    stream.destroy();
    assert.equal(chunk.toString(), 'through');
    const authority = new URL(kubernetes.url).host;
    const login = Buffer.from('user:pass').toString('base64');
    assert.deepEqual(asked, Array(2).fill(`${authority} Basic ${login}`));
  });

  test('shows a client certificate', async t => {
    const { caPem, certPem, keyPem } = await sharedCertificate();
    const seen: (string | undefined)[] = [];
    const server = createSecureServer(
      { cert: certPem, key: keyPem, requestCert: true, rejectUnauthorized: false },
      (request, response) => {
        const { CN } = (request.socket as TLSSocket).getPeerCertificate().subject;
        seen.push([CN].flat()[0]);
        response.end('{"items":[]}');
      },
    );
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => server.close());
    const base64 = (text: string) => Buffer.from(text).toString('base64');
    const contents = JSON.stringify({
      'current-context': 'c',
      contexts: [{ name: 'c', context: { cluster: 'c', user: 'c' } }],
      clusters: [
        {
          name: 'c',
          cluster: {
            server: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
            'certificate-authority-data': base64(caPem),
          },
        },
      ],
      users: [
        {
          name: 'c',
          user: { 'client-certificate-data': base64(certPem), 'client-key-data': base64(keyPem) },
        },
      ],
    });
    const connector = createKubeconfigConnector({ kubeconfig: { contents } });
    await assert.rejects(connector.connect(never), { message: /^finding Tiller: no ready pod/ });
    assert.deepEqual(seen, ['kubernetes']);
  });

  test('says that the server is signed by an unknown authority', async t => {
    const { kubernetes } = await createStage(t, echo);
    const { caPem } = await createServerCertificate();
    const cluster = { 'certificate-authority-data': Buffer.from(caPem).toString('base64') };
    const kubeconfig = withUser(kubernetes, { token: kubernetes.token }, cluster);
    await assert.rejects(createKubeconfigConnector({ kubeconfig }).connect(never), {
      code: 14,
      message: `finding Tiller at ${kubernetes.url}: the certificate is signed by an unknown authority`,
    });
  });

  test('says what rights are missing for the tunnel', async t => {
    const { kubernetes, connect } = await createStage(t, echo);
    kubernetes.misbehave.refuse('portforward', 403);
    await assert.rejects(connect(), {
      code: 14,
      message:
        /^opening the tunnel to pod \S+ through \S+ \(the rules needed are get and create on pods\/portforward\): the API server forbids it: /,
    });
  });

  test('says that the pod has gone meanwhile', async t => {
    const { kubernetes, connect } = await createStage(t, echo);
    kubernetes.misbehave.refuse('portforward', 404);
    await assert.rejects(connect(), {
      code: 14,
      message: /^opening the tunnel to pod \S+ through \S+: the API server does not know it: /,
    });
  });

  test('says that listing is forbidden', async t => {
    const { kubernetes, connect } = await createStage(t, echo);
    kubernetes.misbehave.refuse('list', 403);
    await assert.rejects(connect(), { code: 14, message: /^finding Tiller: the API server forbids it: / });
  });

  test('gives up a look-up and a handshake that take too long', async t => {
    const { kubernetes, connect } = await createStage(t, echo);
    kubernetes.misbehave.delay(60_000);
    await assert.rejects(connect({ stepTimeoutMs: 100 }), {
      code: 14,
      message: /^finding Tiller at \S+: no answer in time$/,
    });
  });

  test('gives up a handshake whose port headers never come', async t => {
    const { kubernetes, connect } = await createStage(t, echo);
    kubernetes.misbehave.withholdPortHeaders(true);
    await assert.rejects(connect({ stepTimeoutMs: 300 }), {
      code: 14,
      message: /^opening the tunnel to pod \S+ through \S+: no answer in time$/,
    });
    await eventually(() => kubernetes.openTunnels === 0);
  });

  test('says that the API server is not there', async t => {
    const { kubernetes, connect } = await createStage(t, echo);
    await kubernetes.stop();
    await assert.rejects(connect(), {
      code: 14,
      message: `finding Tiller at ${kubernetes.url}: connection refused`,
    });
  });

  test('ends an attempt when it is told to', async t => {
    const { kubernetes } = await createStage(t, echo);
    kubernetes.misbehave.delay(60_000);
    const connector = createKubeconfigConnector({ kubeconfig: { contents: kubernetes.kubeconfig() } });
    await assert.rejects(connector.connect(AbortSignal.timeout(50)), {
      code: 14,
      message: /no answer in time$/,
    });
  });
});
