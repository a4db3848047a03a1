/** Many clients of a stream of changes: what one costs the gateway, and how soon all have an event. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { GatewayProcess } from './gateway-process.ts';

const watchers = 1_000;
const changes = 20;

/**
 * Opens the streams, changes a release a few times, and prints the figures.
 * @param change makes the gateway see one upgrade; each is several events
 */
export async function measureWatchers(
  gateway: GatewayProcess,
  change: () => Promise<unknown>,
): Promise<void> {
  // the code is compiled and the heap grown before anything is counted
  for (const socket of await openAll(gateway, 100)) socket.destroy();
  await change();
  const before = await gateway.liveMiB();
  const sockets = await openAll(gateway, watchers);
  const after = await gateway.liveMiB();
  const delays: number[] = [];
  for (let count = 0; count < changes; count++) {
    const last = Promise.all(sockets.map(lastEventOf));
    await change();
    // of each client, the time from when the gateway saw the change until the client had it
    delays.push(...(await last));
  }
  delays.sort((a, b) => a - b);
  const at = (share: number) => delays[Math.floor((delays.length - 1) * share)]!.toFixed(1);
  console.log(`${watchers} watchers`);
  console.log(`  memory of each           ${(((after - before) * 1024) / watchers).toFixed(1)} KiB`);
  console.log(
    `  until each has an event  ${at(0.5)} ms in the median, ${at(0.99)} ms at p99, ${at(1)} ms at the most`,
  );
  for (const socket of sockets) socket.destroy();
}

async function openAll({ port }: GatewayProcess, count: number): Promise<Socket[]> {
  const sockets: Socket[] = [];
  while (sockets.length < count) {
    const some = Array.from({ length: Math.min(50, count - sockets.length) }, () => open(port));
    sockets.push(...(await Promise.all(some)));
  }
  return sockets;
}

/** Resolves when the stream has begun. */
async function open(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.setNoDelay(true);
  socket.write('GET /tiller/v2/releases/watch/json HTTP/1.1\r\nHost: localhost\r\n\r\n');
  for (let text = ''; !text.includes('HEARTBEAT'); ) text += String((await once(socket, 'data'))[0]);
  return socket;
}

/** Waits for the newest revision to be DEPLOYED. @returns milliseconds since the gateway saw it */
function lastEventOf(socket: Socket): Promise<number> {
  return new Promise(resolve => {
    const take = (chunk: Buffer) => {
      // by default only DEPLOYED is watched: the old revision goes, and the new one comes last
      const at = /"type":"ADDED".*"at":"([^"]+)"/.exec(String(chunk))?.[1];
      if (at === undefined) return;
      socket.off('data', take);
      resolve(Date.now() - Date.parse(at));
    };
    socket.on('data', take);
  });
}
