/** A gateway with a hub in this process: the real listener, with clusters that a test describes. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import type { TestContext } from 'node:test';
import { type Gateway, startGateway } from '../../src/app/gateway.ts';
import { loadConfig } from '../../src/config/index.ts';
import { createLogger } from '../../src/observe/index.ts';
import {
  createSandboxKubernetes,
  type SandboxKubernetes,
  type SandboxKubernetesOptions,
} from '../../src/sandbox/index.ts';
import { sharedCertificate } from './certificates.ts';

/** Where a test's things are ended: a test, or a suite with its `after`. */
export type Owner = Pick<TestContext, 'after'>;

export async function startCluster(
  owner: Owner,
  tillerPort: number,
  options: Partial<SandboxKubernetesOptions> = {},
): Promise<SandboxKubernetes> {
  const kubernetes = await createSandboxKubernetes({
    tillerTarget: { host: '127.0.0.1', port: tillerPort },
    certificate: await sharedCertificate(),
    ...options,
  });
  owner.after(() => kubernetes.close());
  return kubernetes;
}

export interface HubStage {
  readonly url: string;
  readonly port: number;
  readonly folder: string;
  readonly gateway: Gateway;
  /** Lines of the log so far, parsed. */
  readonly lines: readonly Readonly<Record<string, unknown>>[];
  /** Writes a file into the stage's folder and gives its path. */
  write(name: string, text: string): string;
}

export function createFolder(owner: Owner): { folder: string; write: HubStage['write'] } {
  const folder = mkdtempSync(join(tmpdir(), 'hub-'));
  owner.after(() => rmSync(folder, { recursive: true }));
  return {
    folder,
    write(name, text) {
      const file = join(folder, name);
      writeFileSync(file, text, { mode: 0o600 });
      return file;
    },
  };
}

/**
 * Starts the gateway with these flags. The clusters file, where one is given, is `clusters.yaml` in the folder; the root
 * path has no Tiller behind it unless a flag says otherwise.
 */
export async function startHub(
  owner: Owner,
  { folder, write }: ReturnType<typeof createFolder>,
  clusters: string | undefined,
  flags: readonly string[] = [],
): Promise<HubStage> {
  const file = clusters === undefined ? [] : [`--clusters=${write('clusters.yaml', clusters)}`];
  const lines: Record<string, unknown>[] = [];
  const log = createLogger({
    level: 'debug',
    format: 'json',
    stream: toStream(line => lines.push(JSON.parse(line))),
  });
  const nowhere = flags.some(flag => /^--(connector|tiller-endpoint|default-cluster)/.test(flag))
    ? []
    : ['--tiller-endpoint=127.0.0.1:9'];
  const config = await loadConfig({
    argv: ['--addr=127.0.0.1:0', '--drain-timeout=1s', ...nowhere, ...file, ...flags],
    environment: {},
  });
  const gateway = await startGateway(config, '0.0.0', log);
  owner.after(() => gateway.stop());
  const port = gateway.addresses[0]?.port ?? 0;
  return { url: `http://127.0.0.1:${port}`, port, folder, gateway, lines, write };
}

function toStream(take: (line: string) => void): NodeJS.WritableStream {
  return new Writable({
    decodeStrings: false,
    write(chunk, _encoding, done) {
      for (const line of String(chunk).split('\n')) if (line !== '') take(line);
      done();
    },
  });
}
