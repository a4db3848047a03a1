/** Stopping the real program, with the sandbox behind it. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import { describe, test } from 'node:test';
import { eventually } from './support/eventually.ts';
import { startGatewayProcess } from './support/gateway-process.ts';
import { openSocket } from './support/listener-stage.ts';

async function version(agent: Agent, port: number): Promise<IncomingMessage> {
  const [answer] = await once(
    httpRequest({ port, agent, path: '/tiller/v2/version/json' }).end(),
    'response',
  );
  await answer.toArray();
  return answer;
}

test('a failure that nothing waits for is logged and counted, and requests are still served', async t => {
  const fail = "process.on('SIGUSR2', () => void Promise.reject(new Error('nobody waits')))";
  const nodeFlags = [`--import=data:text/javascript,${encodeURIComponent(fail)}`];
  const gateway = await startGatewayProcess(t, [], { nodeFlags });
  const faults = () => gateway.lines.filter(({ level }) => level === 'error');
  for (const count of [1, 2]) {
    gateway.signal('SIGUSR2');
    await eventually(() => faults().length === count);
    assert.equal(faults().at(-1)?.count, count);
  }
  const agent = new Agent();
  t.after(() => agent.destroy());
  assert.equal((await version(agent, gateway.port)).statusCode, 200);
  gateway.signal('SIGTERM');
  assert.equal(await gateway.exit, 0);
});

describe('signals', () => {
  for (const name of ['SIGTERM', 'SIGINT'] as const) {
    test(`${name} stops an idle gateway with 0`, async t => {
      const gateway = await startGatewayProcess(t);
      gateway.signal(name);
      assert.equal(await gateway.exit, 0);
      assert.equal(gateway.lines.at(-1)?.message, 'stopped');
    });
  }

  test('SIGTERM under load drops no request', async t => {
    const gateway = await startGatewayProcess(t, ['--no-access-log']);
    const agent = new Agent({ keepAlive: true, maxSockets: 30 });
    t.after(() => agent.destroy());
    let answered = 0;
    const clients = Array.from({ length: 30 }, async () => {
      for (;;) {
        const answer = await version(agent, gateway.port);
        assert.equal(answer.statusCode, 200);
        answered++;
        if (answer.headers.connection === 'close') return;
      }
    });
    await eventually(() => answered >= 300);
    gateway.signal('SIGTERM');
    await Promise.all(clients);
    assert.equal(await gateway.exit, 0);
  });

  test('what outlasts the drain timeout is cut off, and it is still 0', async t => {
    const gateway = await startGatewayProcess(t, ['--drain-timeout=300ms']);
    const socket = await openSocket(t, gateway.port);
    socket.on('error', () => {});
    socket.write('POST /tiller/v2/releases/a/json HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{');
    await version(new Agent(), gateway.port); // by then the request above has begun
    gateway.signal('SIGTERM');
    assert.equal(await gateway.exit, 0);
    assert.ok(gateway.lines.some(({ message }) => /cut off/.test(String(message))));
  });

  test('a second signal ends it at once', async t => {
    const gateway = await startGatewayProcess(t, ['--drain-timeout=1h']);
    const socket = await openSocket(t, gateway.port);
    socket.on('error', () => {});
    socket.write('POST /tiller/v2/releases/a/json HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{');
    await version(new Agent(), gateway.port);
    gateway.signal('SIGTERM');
    await gateway.seen(/^stopping$/);
    gateway.signal('SIGINT');
    assert.equal(await gateway.exit, 1);
  });
});
