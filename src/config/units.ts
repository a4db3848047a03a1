/** Milliseconds, so that `90s`, `1m30s` and `0.5h` are all read; the largest unit first, as durations are written. */
const durationUnits = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 } as const;
const byteUnits = { GiB: 1024 ** 3, MiB: 1024 ** 2, KiB: 1024, B: 1 } as const;

/**
 * `5m`, `30s`, `1h30m`, `250ms`, or `0` in milliseconds.
 * @throws Error for anything else; a bare number other than 0 is refused, because its unit would be a guess
 */
export function parseDuration(text: string): number {
  if (text === '0') return 0;
  if (!/^(?:\d+(?:\.\d+)?(?:h|ms|m|s))+$/.test(text)) {
    throw new Error(`${JSON.stringify(text)} is not a duration such as 30s, 5m or 1h30m`);
  }
  let totalMs = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(h|ms|m|s)/g)) {
    totalMs += Number(amount) * durationUnits[unit as keyof typeof durationUnits];
  }
  return Math.round(totalMs);
}

/** The shortest text that `parseDuration` reads back as the same number of milliseconds. */
export function formatDuration(durationMs: number): string {
  let rest = durationMs;
  let text = '';
  for (const [unit, unitMs] of Object.entries(durationUnits)) {
    const amount = Math.floor(rest / unitMs);
    if (amount > 0) text += `${amount}${unit}`;
    rest -= amount * unitMs;
  }
  return text || '0s';
}

/**
 * `32MiB`, `64KiB`, `1GiB`, `512B`, or a bare number of bytes.
 * @throws Error for anything else; MB and M are refused rather than guessed to be 1000 or 1024 based
 */
export function parseBytes(text: string): number {
  const match = /^(\d+)(GiB|MiB|KiB|B)?$/.exec(text);
  if (!match) throw new Error(`${JSON.stringify(text)} is not a size such as 512KiB or 32MiB`);
  return Number(match[1]) * byteUnits[(match[2] ?? 'B') as keyof typeof byteUnits];
}

/** The size in the largest unit that divides it. */
export function formatBytes(bytes: number): string {
  for (const [unit, unitBytes] of Object.entries(byteUnits)) {
    if (bytes >= unitBytes && bytes % unitBytes === 0) return `${bytes / unitBytes}${unit}`;
  }
  return '0B';
}

/** Where a listener binds. No host means every address of the machine, IPv6 and IPv4. */
export interface ListenAddress {
  readonly host: string | undefined;
  /** 0 lets the system choose a free port. */
  readonly port: number;
}

/**
 * Reads `:9855`, `127.0.0.1:9855`, `localhost:9855` or `[::1]:9855`.
 * @throws Error for anything else
 */
export function parseListenAddress(text: string): ListenAddress {
  const match = /^(?:\[([0-9a-f:.]+(?:%[\w.-]+)?)\]|([^\s:/?#@[\]]*)):(\d{1,5})$/i.exec(text);
  if (!match) throw new Error(`${JSON.stringify(text)} is not an address such as :9855 or 127.0.0.1:9855`);
  const port = Number(match[3]);
  if (port > 65_535) throw new Error(`port ${port} is not in 0-65535`);
  return { host: match[1] ?? (match[2] || undefined), port };
}

/** The text that `parseListenAddress` reads back. */
export function formatListenAddress({ host = '', port }: ListenAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** What stands where a secret was. */
export const masked = '***';

/**
 * Credentials before a host, to the last `@` of it, since a password may hold one; also where slashes are escaped, turned
 * round or missing.
 */
const credentials = /((?:\\?\/){2})[^\s/\\?#]{1,1024}@/g;
const withoutSlashes = /((?<![\w:])(?:https?|wss?|ftp|oci|socks\w{0,2}):\\{0,4})[^\s/\\?#]{1,128}@/gi;

/** A URL with all that follows it without a space, once. */
const run = /\/\/[^\s"'<>]+/g;
/** A password that holds what would end the host, had it been escaped: what stands behind the colon is no port. */
const oddPassword = /(\/\/)[^\s/?#:@[\]]{1,128}:(?!\d{0,5}[/?#]).*@/g;

/** `https://user:password@host` → `https://***@host`, for every URL in a text, in time linear in it. */
export function maskUrlCredentials(value: string): string {
  return value
    .replace(credentials, `$1${masked}@`)
    .replace(withoutSlashes, `$1${masked}@`)
    .replace(run, urls => {
      // only where an @ follows, so that each look is the last one
      const end = urls.lastIndexOf('@') + 1;
      return urls.slice(0, end).replace(oddPassword, `$1${masked}@`) + urls.slice(end);
    });
}
