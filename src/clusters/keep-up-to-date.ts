import { unwatchFile, watchFile } from 'node:fs';
import { GatewayError } from '../protocol/index.ts';
import type { ClusterLog } from './cluster.ts';
import type { Registry } from './registry.ts';
import type { ClusterSource } from './source/cluster-source.ts';

/** The mistake in the configuration that was read last; the one before stays in force. */
export interface SourceProblem {
  readonly since: string;
  readonly message: string;
}

export interface UpToDate {
  /** The mistake in the version that was read last. */
  problem(): { readonly problem?: SourceProblem };
  stop(): void;
}

const defaultIntervalMs = 2_000;

/**
 * Reads the clusters and goes on doing so when a file changes. A version with a mistake leaves the one before in
 * force and is reported in the log and by `problem`.
 * @throws GatewayError where the first version has a mistake
 */
export async function keepUpToDate(
  source: ClusterSource,
  registry: Registry,
  log: ClusterLog,
  intervalMs = defaultIntervalMs,
): Promise<UpToDate> {
  registry.update(await source.read());
  let problem: SourceProblem | undefined;
  let reading = Promise.resolve();
  const read = async () => {
    try {
      const entries = await source.read();
      registry.update(entries);
      problem = undefined;
      log('info', 'the clusters were read anew', { clusters: entries.length });
    } catch (thrown) {
      const { message } = GatewayError.from(thrown);
      problem = { since: new Date().toISOString(), message };
      log('error', 'the new clusters cannot be used; the old ones stay', { error: thrown });
    }
  };
  // one after the other, so that an older version never comes out on top
  const stop = watchFiles(source.files, intervalMs, () => {
    reading = reading.then(read);
  });
  return { problem: () => (problem ? { problem } : {}), stop };
}

/**
 * Runs `onChange` when a file changes. Files are polled: those of a mounted Secret are replaced through a symbolic link,
 * which no notification of the file itself would show. Keeps no process alive.
 * @returns a function that ends it
 */
function watchFiles(files: readonly string[], intervalMs: number, onChange: () => void): () => void {
  const listener = () => onChange();
  for (const file of files) watchFile(file, { interval: intervalMs, persistent: false }, listener);
  return () => {
    for (const file of files) unwatchFile(file, listener);
  };
}
