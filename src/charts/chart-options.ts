import { invalidArgument } from '../protocol/index.ts';
import { type Resolve, resolveHost } from './download/fetch-once.ts';
import type { Warn } from './requirements/preparation.ts';

/** How charts are found, and the bounds on that. */
export interface ChartOptions {
  /** Chart repositories, `NAME=URL` each. Default: none. */
  readonly repositories: readonly string[];
  /** YAML file with the repositories' credentials; see docs/charts.md. Default: none. */
  readonly repositoryCredentialsFile: string | undefined;
  /** Folder of charts on this machine. Default: none. */
  readonly chartDir: string | undefined;
  /** OpenPGP public keys that provenance files are checked against. Default: none, and nothing can be checked. */
  readonly keyring: string | undefined;
  /** Host patterns and address ranges that are let through. Default: none. */
  readonly allow: readonly string[];
  /** Host patterns and address ranges that are refused; stronger than `allow`. Default: none. */
  readonly deny: readonly string[];
  /** Let charts come from this machine's loopback addresses. Default: false. */
  readonly allowLoopback: boolean;
  /** The most bytes of a packed chart. Default 20 MiB, 1 byte to 1 GiB. */
  readonly maxBytes: number;
  /** The most bytes of a chart when unpacked, archives in it included. Default 64 MiB, 1 byte to 1 GiB. */
  readonly maxUnpackedBytes: number;
  /** The most files of a chart, those of archives in it included. Default 10,000, 1 to 1,000,000. */
  readonly maxEntries: number;
  /** The most archives inside one another. Default 8, 0 to 32. */
  readonly maxNestedArchives: number;
  /** The most bytes of a chart as it is sent; Tiller takes 20 MiB. Default 20 MiB, 1 byte to 1 GiB. */
  readonly maxMessageBytes: number;
  /** Time for one download, redirects and waiting for a turn included. Default 30 s, 1 ms to 1 h. */
  readonly timeoutMs: number;
  /** Redirects to follow. Default 5, 0 to 20. */
  readonly maxRedirects: number;
  /** Downloads at the same time. Default 8, 1 to 1,000. */
  readonly concurrency: number;
  /** Downloads that may wait for their turn. Default 64, 0 to 10,000. */
  readonly maxWaiting: number;
  /** Bytes of downloads to keep. Default 64 MiB, 0 to 16 GiB. */
  readonly cacheBytes: number;
  /** How long a repository's index is used without asking. Default 5 min, 0 to 24 h. */
  readonly indexMaxAgeMs: number;
  /** The most bytes of a repository's index. Default 32 MiB, 1 byte to 1 GiB. */
  readonly indexMaxBytes: number;
  /** The proxy for a URL, if it goes through one. Default: none. */
  readonly proxyFor: (url: string) => string | undefined;
  /** Finds a host's addresses. Default: the system's resolver. */
  readonly resolveHost: Resolve;
  /** Called with what Helm only warns about. Default: nothing is done with it. */
  readonly warn: Warn;
}

const MiB = 1024 * 1024;

const defaults: ChartOptions = {
  repositories: [],
  repositoryCredentialsFile: undefined,
  chartDir: undefined,
  keyring: undefined,
  allow: [],
  deny: [],
  allowLoopback: false,
  maxBytes: 20 * MiB,
  maxUnpackedBytes: 64 * MiB,
  maxEntries: 10_000,
  maxNestedArchives: 8,
  maxMessageBytes: 20 * MiB,
  timeoutMs: 30_000,
  maxRedirects: 5,
  concurrency: 8,
  maxWaiting: 64,
  cacheBytes: 64 * MiB,
  indexMaxAgeMs: 300_000,
  indexMaxBytes: 32 * MiB,
  proxyFor: () => undefined,
  resolveHost,
  warn: () => {},
};

const ranges = {
  maxBytes: [1, 1024 * MiB],
  maxUnpackedBytes: [1, 1024 * MiB],
  maxEntries: [1, 1_000_000],
  maxNestedArchives: [0, 32],
  maxMessageBytes: [1, 1024 * MiB],
  timeoutMs: [1, 3_600_000],
  maxRedirects: [0, 20],
  concurrency: [1, 1_000],
  maxWaiting: [0, 10_000],
  cacheBytes: [0, 16 * 1024 * MiB],
  indexMaxAgeMs: [0, 86_400_000],
  indexMaxBytes: [1, 1024 * MiB],
} as const satisfies Partial<Record<keyof ChartOptions, readonly [number, number]>>;

/**
 * Fills in what is not given.
 * @throws GatewayError INVALID_ARGUMENT for a number out of its range
 */
export function validateChartOptions(given: Partial<ChartOptions>): ChartOptions {
  const options = { ...defaults, ...given };
  for (const [name, [least, most]] of Object.entries(ranges)) {
    const value = options[name as keyof typeof ranges];
    if (!Number.isInteger(value) || value < least || value > most) {
      throw invalidArgument(`${name} must be an integer from ${least} to ${most}`);
    }
  }
  return options;
}
