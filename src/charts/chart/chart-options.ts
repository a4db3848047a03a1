export interface ResolvedAddress {
  readonly address: string;
  readonly family: number;
}

/** Finds the addresses of a host; replaced in tests. */
export type Resolve = (host: string) => Promise<readonly ResolvedAddress[]>;

/** Called with what Helm only warns about. */
export type Warn = (message: string) => void;

/** Where charts come from, and the bounds on that. Defaults and ranges stand with the flags, in `config`. */
export interface ChartOptions {
  /** Chart repositories, `NAME=URL` each. */
  readonly repositories: readonly string[];
  /** YAML file with the repositories' credentials; see docs/charts.md. */
  readonly repositoryCredentialsFile: string | undefined;
  readonly chartDir: string | undefined;
  /** Folder that uploads are kept in; without it there are none. */
  readonly uploadDir: string | undefined;
  readonly maxUploads: number;
  /** The most bytes of all uploads together. */
  readonly maxUploadBytes: number;
  /** OpenPGP public keys that provenance files are checked against. */
  readonly keyring: string | undefined;
  /** Host patterns (`charts.example.com`, `*.example.com`), and addresses or CIDR ranges, that are let through. */
  readonly allow: readonly string[];
  /** The same for what is refused; stronger than `allow`. */
  readonly deny: readonly string[];
  readonly allowLoopback: boolean;
  readonly maxBytes: number;
  /** The most bytes of a chart when unpacked, archives in it included. */
  readonly maxUnpackedBytes: number;
  /** The most files of a chart, those of archives in it included. */
  readonly maxEntries: number;
  readonly maxNestedArchives: number;
  /** The most bytes of a chart as it is sent. Default: 20 MiB, the most that Tiller takes. */
  readonly maxMessageBytes?: number;
  /** Time for one download, redirects and waiting for a turn included. */
  readonly timeoutMs: number;
  readonly maxRedirects: number;
  readonly concurrency: number;
  readonly maxWaiting: number;
  readonly cacheBytes: number;
  /** How long a repository's index is used without asking. */
  readonly indexMaxAgeMs: number;
  readonly indexMaxBytes: number;
  /** The proxy for a URL, if it goes through one. */
  readonly proxyFor: (url: string) => string | undefined;
  /** Finds a host's addresses. Default: the system's resolver. */
  readonly resolveHost?: Resolve;
  readonly warn: Warn;
}
