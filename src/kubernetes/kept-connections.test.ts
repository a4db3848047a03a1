import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { createAuthority } from '../../test/support/certificates.ts';
import { getJson, KeptConnections } from './api.ts';
import { verifiedAs } from './server-tls.ts';

test('requests share a connection until the certificates change', async t => {
  const authority = createAuthority('kept');
  const server = createServer(authority.issue('127.0.0.1'), (_request, response) => void response.end('{}'));
  let opened = 0;
  server.on('secureConnection', () => opened++).listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const connections = new KeptConnections();
  t.after(() => connections.destroy());
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const ask = (ca: string, name = '127.0.0.1') => {
    // a function of its own each time, as credentials are read anew for each request
    const settings = { server: url, headers: {}, tls: { ca, ...verifiedAs(name) }, agent: undefined };
    const access = { settings: async () => settings, forget: () => {} };
    return getJson(access, '/', { step: 'asking', signal: t.signal, connections });
  };
  for (let i = 0; i < 3; i++) await ask(authority.ca);
  assert.equal(opened, 1);
  await ask(`${authority.ca}\n`);
  assert.equal(opened, 2);
  await assert.rejects(ask(authority.ca, 'other.example'), /the certificate is for another name/);
});
