export interface ResolvedAddress {
  readonly address: string;
  readonly family: number;
}

/** Finds the addresses of a host; replaced in tests. */
export type Resolve = (host: string) => Promise<readonly ResolvedAddress[]>;

/** Called with what Helm only warns about. */
export type Warn = (message: string) => void;

/** What a source asks of who fetches from it. Empty text counts as not given. */
export interface Credentials {
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly token?: string | undefined;
  /** PEM certificates to trust beside the system's. */
  readonly caBundle?: Uint8Array | undefined;
  /** PEM; goes with `clientKey`. */
  readonly clientCertificate?: Uint8Array | undefined;
  readonly clientKey?: Uint8Array | undefined;
  readonly insecureSkipVerify?: boolean | undefined;
}

/** A repository of the configuration. */
export interface ConfiguredRepository {
  readonly name: string;
  readonly url: string;
  /** Default: those that the credentials file has under its name. */
  readonly credentials?: Credentials | undefined;
}

/** An OCI registry of the configuration: the credentials for every repository of that host. */
export interface ConfiguredRegistry {
  /** `ghcr.io`, `registry.example.com:5000` */
  readonly host: string;
  readonly credentials: Credentials;
}

/** Where charts come from, and the bounds on that. Defaults and ranges stand with the flags, in `config`. */
export interface ChartOptions {
  /** Chart repositories; a text is `NAME=URL`. */
  readonly repositories: readonly (string | ConfiguredRepository)[];
  /** YAML file with the credentials of repositories and registries; see docs/charts.md. */
  readonly repositoryCredentialsFile: string | undefined;
  /** Where repositories that are added by API are kept; without it in memory alone. */
  readonly repositoryFile: string | undefined;
  /** Registries with credentials that are not in the credentials file. */
  readonly registries?: readonly ConfiguredRegistry[];
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
  /** The sum for all repositories. */
  readonly indexesMaxBytes: number;
  /** The proxy for a URL, if it goes through one. */
  readonly proxyFor: (url: string) => string | undefined;
  /** Finds a host's addresses. Default: the system's resolver. */
  readonly resolveHost?: Resolve;
  readonly warn: Warn;
}
