import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Cluster } from '../../clusters/index.ts';
import { Code, GatewayError } from '../../protocol/index.ts';
import { validateForwardPath } from './select.ts';

export interface UpgradeTarget {
  readonly cluster: Cluster;
  readonly path: string;
  readonly query: string;
}

/**
 * Passes an upgrade on to a cluster's own gateway and holds the cluster open as long as the socket lives. The socket is
 * this function's to close. Never rejects.
 * @param pick gives the cluster. @throws GatewayError, which becomes the answer
 */
export async function answerUpgrade(
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  pick: () => UpgradeTarget,
): Promise<void> {
  socket.on('error', () => socket.destroy());
  const gone = new AbortController();
  socket.once('close', () => gone.abort(new GatewayError(Code.CANCELLED, 'the client has gone')));
  try {
    const { cluster, path, query } = pick();
    await cluster.use(gone.signal, async ({ backend }) => {
      if (backend.kind !== 'gateway')
        throw new GatewayError(Code.UNIMPLEMENTED, 'only clusters of the upstream gateway take upgrades');
      await backend.gateway.upgrade(
        request,
        socket,
        head,
        validateForwardPath(path) + (query && `?${query}`),
      );
    });
  } catch (thrown) {
    refuse(socket, GatewayError.from(thrown));
  }
}

const statuses: Readonly<Record<number, number>> = {
  [Code.INVALID_ARGUMENT]: 400,
  [Code.NOT_FOUND]: 404,
  [Code.PERMISSION_DENIED]: 403,
  [Code.RESOURCE_EXHAUSTED]: 429,
  [Code.UNIMPLEMENTED]: 501,
  [Code.UNAVAILABLE]: 503,
};

/** On a bare socket the answer has to be written out. */
function refuse(socket: Duplex, { code, message }: GatewayError): void {
  if (socket.destroyed || socket.writableEnded) return;
  const status = statuses[code] ?? 500;
  const body = JSON.stringify({ code, message });
  socket.end(
    [
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
      'Content-Type: application/json',
      `Content-Length: ${Buffer.byteLength(body)}`,
      'Connection: close',
      '',
      body,
    ].join('\r\n'),
  );
}
