/**
 * Another client, in a process of its own, so that it waits for the gateway and not for who attacks it: asks for the URL
 * it is started with, every 10 ms until its standard input ends. Prints the slowest answer in milliseconds.
 */
import { once } from 'node:events';
import { Agent, get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

const [, , url = ''] = process.argv;
const agent = new Agent({ keepAlive: true, maxSockets: 1 });
let isOver = false;
process.stdin.resume().once('end', () => {
  isOver = true;
});

async function ask(): Promise<number> {
  const startedAt = performance.now();
  const request = get(url, { agent });
  const [response] = await once(request, 'response');
  await once(response.resume(), 'end');
  return performance.now() - startedAt;
}

// what is compiled and connected first is not counted
await ask();
console.log('ready');
let slowestMs = 0;
while (!isOver) {
  slowestMs = Math.max(slowestMs, await ask().catch(() => 0));
  await sleep(10);
}
console.log(slowestMs);
agent.destroy();
