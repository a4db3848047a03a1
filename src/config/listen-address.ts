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
