import type { TestContext } from 'node:test';
import type { TillerClient, TillerClientOptions } from '../../src/backends/tiller/client.ts';
import {
  createKubeconfigConnector,
  type KubeconfigConnectorOptions,
} from '../../src/clusters/upstreams/connectors.ts';
import { createSandboxKubernetes, type SandboxKubernetes } from '../../src/sandbox/index.ts';
import { sharedCertificate } from './certificates.ts';
import { createTestTiller } from './gateway.ts';
import { type StubOptions, type StubTiller, startStubTiller } from './stub-tiller.ts';

export interface TunnelledTiller {
  readonly stub: StubTiller;
  readonly kubernetes: SandboxKubernetes;
  readonly client: TillerClient;
  /** Resolves the next time a connection is lost, with the reason. */
  lost(): Promise<string>;
  /** Why attempts to open a tunnel failed, oldest first. */
  readonly failures: readonly Error[];
}

export interface TunnelledOptions {
  readonly stub?: StubOptions;
  readonly connector?: KubeconfigConnectorOptions;
  readonly client?: Partial<TillerClientOptions>;
}

/** A Tiller as the gateway sees it from a workstation: behind an API server, through a tunnel. */
export async function createTunnelledTiller(
  t: TestContext,
  options: TunnelledOptions = {},
): Promise<TunnelledTiller> {
  const stub = await startStubTiller(options.stub);
  const kubernetes = await createSandboxKubernetes({
    tillerTarget: { host: '127.0.0.1', port: stub.port },
    certificate: await sharedCertificate(),
  });
  const waiting: ((reason: string) => void)[] = [];
  const failures: Error[] = [];
  const connector = createKubeconfigConnector({
    kubeconfig: { contents: kubernetes.kubeconfig() },
    ...options.connector,
  });
  const client = createTestTiller('none:1', {
    connector: {
      ...connector,
      connect: signal =>
        connector.connect(signal).catch(error => {
          failures.push(error);
          throw error;
        }),
    },
    waitMs: 30_000,
    onLost: (_target, reason) => {
      for (const resolve of waiting.splice(0)) resolve(reason);
    },
    ...options.client,
  });
  t.after(async () => {
    client.destroy();
    await kubernetes.close();
    await stub.stop();
  });
  return { stub, kubernetes, client, failures, lost: () => new Promise(resolve => waiting.push(resolve)) };
}
