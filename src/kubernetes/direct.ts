import type { Connector } from './connector.ts';
import { addressText, dial } from './dial.ts';
import { hostPort, parseEndpoint } from './endpoint.ts';

export interface DirectOptions {
  /** `host:port`, `http://…`, `https://…`, `tls://…` or `unix:/path`; see `parseEndpoint`. */
  readonly endpoint: string;
  /** Bound on connecting. Default 10 s. */
  readonly connectTimeoutMs?: number;
}

/**
 * The way to a Tiller whose address is known. TLS, where the endpoint or the `--tiller-*` flags ask for it, is put on
 * top by `tiller/`.
 * @throws GatewayError INVALID_ARGUMENT for an endpoint that cannot be read
 */
export function createDirectConnector({ endpoint, connectTimeoutMs = 10_000 }: DirectOptions): Connector {
  const { address } = parseEndpoint(endpoint);
  const target = addressText(address);
  const authority = 'path' in address ? 'localhost' : hostPort(address.host, address.port);
  return {
    description: `Tiller at ${target}`,
    address,
    async connect(signal) {
      const stream = await dial({ address, timeoutMs: connectTimeoutMs, signal });
      return { stream, authority, target };
    },
    async close() {},
  };
}
