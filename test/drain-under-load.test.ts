/** SIGTERM to the real program while clients of every kind are being served: nothing that was asked is left unanswered. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent, request as httpRequest } from 'node:http';
import { type ClientHttp2Session, connect } from 'node:http2';
import { test } from 'node:test';
import * as grpc from '@grpc/grpc-js';
import { encodeMessage } from '../src/codec/schema.ts';
import { startGatewayProcess } from './support/gateway-process.ts';
import { startStubTiller } from './support/stub-tiller.ts';
import { callTiller, openTiller } from './support/tiller-client.ts';

const path = '/tiller/v2/releases/alpha/status/json';

/**
 * Asks again and again until it is told to go; says when there is one and gives their number. On a busy machine a client may learn of the
 * drain only when its connection is closed: what it sent then may not have reached Tiller.
 */
type Client = (port: number, onAnswer: () => void) => Promise<number>;

const http1: Client = async (port, onAnswer) => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  for (let answered = 0; ; answered++) {
    const request = httpRequest({ port, agent, path }).end();
    const [answer] = await once(request, 'response').catch(error => {
      if (request.reusedSocket && error.code === 'ECONNRESET') return [];
      throw error;
    });
    if (!answer) return answered;
    assert.equal(answer.statusCode, 200);
    await answer.toArray();
    onAnswer();
    if (answer.headers.connection === 'close') return answered + 1;
  }
};

/** Gives false for a stream that was refused: it was not processed, and often not even sent (RFC 9113, 8.7). */
async function askStream(session: ClientHttp2Session): Promise<boolean> {
  try {
    await answerOf(session);
    return true;
  } catch (error) {
    if (/NGHTTP2_REFUSED_STREAM/.test((error as Error).message)) return false;
    throw error;
  }
}

async function answerOf(session: ClientHttp2Session): Promise<void> {
  const stream = session.request({ ':path': path });
  const [headers] = await once(stream, 'response');
  assert.equal(headers[':status'], 200);
  assert.match((await stream.setEncoding('utf8').toArray()).join(''), /alpha/);
}

/** Five requests at a time on one connection, until it is told that the gateway takes no more. */
const http2: Client = async (port, onAnswer) => {
  const session = connect(`http://127.0.0.1:${port}`);
  let told = false;
  session.on('goaway', () => {
    told = true;
  });
  let answered = 0;
  while (!told && !session.closed) {
    const answers = await Promise.all(Array.from({ length: 5 }, () => askStream(session)));
    answered += answers.filter(Boolean).length;
    if (answered > 0) onAnswer();
    if (answers.includes(false)) break; // the goodbye has come, though its event has not
  }
  if (!session.destroyed) session.close();
  return answered;
};

/**
 * grpc-js takes the goodbye for itself and connects anew, which is refused in the end: that call was never sent. Nor was
 * one processed whose stream was refused twice.
 */
const native: Client = async (port, onAnswer) => {
  using client = openTiller(`127.0.0.1:${port}`);
  const request = encodeMessage('hapi.services.tiller.GetReleaseStatusRequest', { name: 'alpha' });
  for (let answered = 0; ; answered++) {
    const { status, message } = await callTiller(
      client,
      '/appscode.swift.v2.ReleaseService/GetReleaseStatus',
      request,
    );
    if (
      status === grpc.status.UNAVAILABLE &&
      /No connection established|ECONNREFUSED|Stream refused by server/.test(message)
    )
      return answered;
    assert.equal(status, grpc.status.OK, message);
    onAnswer();
  }
};

test('SIGTERM under load drops nothing', async t => {
  const reply = encodeMessage('hapi.services.tiller.GetReleaseStatusResponse', { name: 'alpha' });
  const line = encodeMessage('hapi.services.tiller.TestReleaseResponse', { msg: 'RUNNING: a' });
  let processed = 0;
  const stub = await startStubTiller({
    record: false,
    replies: {
      GetReleaseStatus: () => {
        processed++;
        return { responses: [reply], delayMs: 5 };
      },
      RunReleaseTest: { responses: Array(20).fill(line), betweenMs: 50 },
    },
  });
  t.after(() => stub.stop());
  const gateway = await startGatewayProcess(t, [
    '--no-access-log',
    '--connector=direct',
    `--tiller-endpoint=${stub.address}`,
  ]);
  const first: Promise<void>[] = [];
  const clients = [http1, http2, native].flatMap(client =>
    Array.from({ length: 10 }, () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      first.push(promise);
      return client(gateway.port, resolve);
    }),
  );
  // a connection that is not accepted yet would be reset
  await Promise.race([Promise.all(first), Promise.all(clients)]);
  // a second long, so that it is in progress when the signal comes
  const stream = fetch(`http://127.0.0.1:${gateway.port}/tiller/v2/releases/a/test/json`, { method: 'POST' });
  assert.equal((await stream).status, 200);
  gateway.signal('SIGTERM');
  assert.equal((await (await stream).text()).trimEnd().split('\n').length, 20);
  const answers = await Promise.all(clients);
  for (const answered of answers) assert.ok(answered > 0);
  const total = answers.reduce((sum, answered) => sum + answered, 0);
  assert.ok(processed <= total, `Tiller had ${processed} calls, of which ${total} were answered`);
  assert.equal(await gateway.exit, 0);
  assert.deepEqual(
    gateway.lines.filter(({ level }) => level === 'error' || level === 'warn'),
    [],
  );
});
