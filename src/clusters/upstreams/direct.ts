import { readTillerTls } from '../../backends/index.ts';
import { addressText, type Connector, dial, hostPort, parseEndpoint } from '../../kubernetes/index.ts';
import { invalidArgument } from '../../protocol/index.ts';
import { createTillerUpstream } from './tiller.ts';
import type { OpenUpstream } from './upstream.ts';

/** Tiller at a known address. */
export const openDirect: OpenUpstream = (entry, options, events) => {
  const { endpoint, tls } = entry;
  if (endpoint === undefined) throw invalidArgument('the upstream direct needs an endpoint');
  const endpointIsTls = parseEndpoint(endpoint).tls === true;
  const connection = {
    connector: createDirectConnector(endpoint),
    tls: readTillerTls({ insecureSkipVerify: false, ...tls, endpointIsTls }),
  };
  return createTillerUpstream('direct', entry, connection, options, events);
};

const connectTimeoutMs = 10_000;

/**
 * Connects to a Tiller whose address is known. TLS, where the endpoint or the `--tiller-*` flags ask for it, is put on
 * top by the client.
 * @param endpoint `host:port`, `http://…`, `https://…`, `tls://…` or `unix:/path`; see `parseEndpoint`
 * @throws GatewayError INVALID_ARGUMENT for an endpoint that cannot be read
 */
export function createDirectConnector(endpoint: string): Connector {
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
  };
}
