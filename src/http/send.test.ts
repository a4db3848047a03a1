import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, get } from 'node:http';
import { connect, createServer as createHttp2Server } from 'node:http2';
import type { AddressInfo, Server } from 'node:net';
import { describe, test } from 'node:test';
import express from 'express';
import type { HttpRequest, HttpResponse } from '../protocol/index.ts';
import type { Exchange } from './exchange.ts';
import { acceptsGzip, sendContent } from './send.ts';

const accepted = [
  'gzip',
  'GZIP',
  'br, gzip',
  'gzip;q=0.1',
  'gzip ; q=1.000',
  '*',
  'br;q=1, *;q=0.5',
  'deflate,gzip;q=0.001',
];
const refused = [
  undefined,
  '',
  'br',
  'identity',
  'gzip;q=0',
  'gzip;q=0.000',
  'gzip;q=0, *',
  '*;q=0',
  'xgzip',
  'gzip;q=x',
];

function requestOf(acceptEncoding: string | undefined): HttpRequest {
  return Object.create(express.request, { headers: { value: { 'accept-encoding': acceptEncoding } } });
}

for (const value of accepted) test(`${value}: gzip`, () => assert.equal(acceptsGzip(requestOf(value)), true));
for (const value of refused) test(`${value}: none`, () => assert.equal(acceptsGzip(requestOf(value)), false));

describe('a whole answer', () => {
  const content = { status: 200, type: 'text/plain', body: Buffer.alloc(64 * 1024, 'x') };

  /** Asks a server over one version; gives the exchange, and what makes the client go. */
  const versions: Record<string, () => Promise<{ exchange: Exchange; leave: () => void; server: Server }>> = {
    'HTTP/1.1': async () => {
      const server = createServer().listen(0, '127.0.0.1');
      await once(server, 'listening');
      const client = get({ port: (server.address() as AddressInfo).port, agent: false });
      client.on('error', () => {});
      return { exchange: await exchangeOf(server), leave: () => client.destroy(), server };
    },
    'HTTP/2': async () => {
      const server = createHttp2Server().listen(0, '127.0.0.1');
      await once(server, 'listening');
      const session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
      session.request().on('error', () => {});
      return { exchange: await exchangeOf(server), leave: () => session.destroy(), server };
    },
  };

  async function exchangeOf(server: Server): Promise<Exchange> {
    const [request, response] = (await once(server, 'request')) as [HttpRequest, HttpResponse];
    Object.assign(request, { acceptsEncodings: () => 'gzip' });
    const hold = { answer: () => {} };
    return { request, response, verb: 'GET', hold } as unknown as Exchange;
  }

  for (const [version, ask] of Object.entries(versions)) {
    test(`is not sent to a client that has gone while it was made, ${version}`, async t => {
      const { exchange, leave, server } = await ask();
      t.after(() => server.close());
      const closed = once(exchange.response, 'close');
      leave();
      await closed;
      const end = t.mock.method(exchange.response, 'end');
      assert.equal((await sendContent(exchange, content)).bytes, 0);
      assert.equal(end.mock.callCount(), 0);
    });

    test(`is not sent behind another one, ${version}`, async t => {
      const { exchange, leave, server } = await ask();
      t.after(() => server.close());
      exchange.response.end('first');
      const end = t.mock.method(exchange.response, 'end');
      assert.equal((await sendContent(exchange, { ...content, body: Buffer.from('x') })).bytes, 0);
      assert.equal(end.mock.callCount(), 0);
      leave();
    });
  }
});
