import { GatewayError } from '../../protocol/index.ts';
import type { ClusterLog, Registry } from '../registry.ts';
import type { ClusterSource } from './cluster-source.ts';
import { watchFiles } from './watch-files.ts';

/** What is wrong with the configuration that was read last; the one before is in force. */
export interface SourceProblem {
  readonly since: string;
  readonly message: string;
}

export interface UpToDate {
  /** What is wrong with the version that was read last. */
  problem(): { readonly problem?: SourceProblem };
  stop(): void;
}

const defaultIntervalMs = 2_000;

/**
 * Reads the clusters and goes on doing so when a file changes. A version that cannot be right leaves the one before in
 * force and is told in the log and by `problem`.
 * @throws GatewayError where the first version cannot be right
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
