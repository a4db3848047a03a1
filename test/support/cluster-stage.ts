import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import type { TestContext } from 'node:test';
import {
  createKubeconfigConnector,
  type KubeconfigConnectorOptions,
} from '../../src/clusters/upstreams/connectors.ts';
import { createSandboxKubernetes, type SandboxKubernetes } from '../../src/sandbox/index.ts';
import { sharedCertificate } from './certificates.ts';

/** For attempts that nothing ends from outside. */
export const never = new AbortController().signal;

export interface Stage {
  readonly kubernetes: SandboxKubernetes;
  readonly sockets: Set<Socket>;
  connect(options?: KubeconfigConnectorOptions): Promise<Duplex>;
}

/** A sandbox cluster whose "Tiller" handles raw connections as the test says. */
export async function createStage(t: TestContext, handle: (socket: Socket) => void): Promise<Stage> {
  const sockets = new Set<Socket>();
  const server: Server = createServer(socket => {
    sockets.add(socket);
    socket.on('error', () => {}).once('close', () => sockets.delete(socket));
    handle(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const kubernetes = await createSandboxKubernetes({
    tillerTarget: { host: '127.0.0.1', port },
    certificate: await sharedCertificate(),
  });
  t.after(async () => {
    await kubernetes.close();
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return {
    kubernetes,
    sockets,
    async connect(options) {
      const kubeconfig = { contents: kubernetes.kubeconfig() };
      const { stream } = await createKubeconfigConnector({ kubeconfig, ...options }).connect(never);
      t.after(() => stream.destroy());
      return stream;
    },
  };
}

/** A Tiller that sends back what it gets. */
export const echo = (socket: Socket) => socket.pipe(socket);

/** A service account folder as a Pod of that namespace sees it. */
export function mountServiceAccount(
  t: TestContext,
  kubernetes: SandboxKubernetes,
  namespace = 'kube-system',
): string {
  const folder = mkdtempSync(join(tmpdir(), 'service-account-'));
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'token'), kubernetes.token);
  writeFileSync(join(folder, 'ca.crt'), kubernetes.caPem);
  writeFileSync(join(folder, 'namespace'), namespace);
  return folder;
}
