import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Registry } from '../clusters/index.ts';
import {
  errorBody,
  type Guard,
  selectCluster,
  splitTarget,
  toForwardTarget,
  toOriginForm,
} from '../http/index.ts';
import { Code, errorToHttpStatus, GatewayError, invalidArgument } from '../protocol/index.ts';

/**
 * Passes upgrades on to a cluster's own gateway, and holds the cluster open as long as the socket lives. The sockets are
 * this function's to close. Nothing is thrown.
 */
export function createUpgradeFront(registry: Pick<Registry, 'pick'>, guard: Guard) {
  return (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    socket.on('error', () => socket.destroy());
    // the port lets connections be half open, which no WebSocket is: either end closes both, once sent bytes have arrived
    const leave = () => setTimeout(() => socket.destroy(), lingerMs).unref();
    socket.once('end', leave).once('finish', leave);
    const gone = new AbortController();
    socket.once('close', () => gone.abort(new GatewayError(Code.CANCELLED, 'the client has gone')));
    passOn(request, socket, head, registry, guard, gone.signal).catch((thrown: unknown) =>
      refuse(socket, GatewayError.from(thrown)),
    );
  };
}

const lingerMs = 1000;

async function passOn(
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  registry: Pick<Registry, 'pick'>,
  guard: Guard,
  signal: AbortSignal,
): Promise<void> {
  toOriginForm(request);
  guard.checkHost(request);
  guard.checkOrigin(request);
  const [path, query] = splitTarget(request.url ?? '/');
  const target = selectCluster(path, query, new URLSearchParams(query), request.headers, true);
  if (!target.isNamed) throw invalidArgument('only clusters take WebSockets, below /clusters/NAME');
  await registry.pick(target.selection).withBackend(signal, async backend => {
    if (backend.kind !== 'gateway') {
      throw new GatewayError(Code.UNIMPLEMENTED, 'only clusters of the upstream gateway take upgrades');
    }
    await backend.gateway.upgrade(request, socket, head, toForwardTarget(target));
  });
}

/** On a bare socket the answer has to be written out. */
function refuse(socket: Duplex, error: GatewayError): void {
  if (socket.destroyed || socket.writableEnded) return;
  socket.resume(); // nobody reads what follows the request, and its end would not be seen
  const status = errorToHttpStatus(error);
  const body = JSON.stringify(errorBody(error));
  socket.end(
    [
      `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
      'Content-Type: application/json',
      `Content-Length: ${Buffer.byteLength(body)}`,
      'Connection: close',
      '',
      body,
    ].join('\r\n'),
  );
}
