import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { after, before, describe, test } from 'node:test';
import type { TLSSocket } from 'node:tls';
import type { ChartRequest, Charts } from '../src/charts/index.ts';
import { chartRequest, type Given, noSignal } from './charts/charts-request.ts';
import { makeChart } from './charts/make-archive.ts';
import { startServer, type TestServer } from './charts/repository-server.ts';
import { createAuthority } from './support/certificates.ts';
import { createTestCharts } from './support/test-charts.ts';

const packed = makeChart({ 'Chart.yaml': 'name: a\nversion: 1.0.0' });
const authority = createAuthority('chart tests');
const serverKeys = authority.issue('localhost');
const client = authority.issue('installer');
const caBundle = Buffer.from(authority.ca);
const identity = { clientCertificate: Buffer.from(client.cert), clientKey: Buffer.from(client.key) };

let server: TestServer;
let charts: Charts;

before(async () => {
  const tls = { ...serverKeys, ca: authority.ca, requestCert: true, rejectUnauthorized: false };
  server = await startServer((request, response) => {
    const { authorized } = request.socket as TLSSocket;
    const isKnown = request.headers.authorization === 'Bearer tok' || !request.url?.startsWith('/login');
    if (request.url === '/away')
      response.writeHead(302, { location: `https://localhost:${server.port}/who` });
    else response.writeHead(isKnown && (authorized || !request.url?.includes('certificate')) ? 200 : 401);
    response.end(packed);
  }, tls);
  charts = createTestCharts({ allowLoopback: true });
});

after(async () => {
  await charts.close();
  await server[Symbol.asyncDispose]();
});

async function fetchChart(path: string, given: Given): Promise<void> {
  await charts.resolve(chartRequest({ chartUrl: server.url + path, ...given }), noSignal);
}

function refused(promise: Promise<unknown>, code: number, message: RegExp) {
  return assert.rejects(promise, { name: 'GatewayError', code, message });
}

describe('TLS', () => {
  test('a certificate that nobody vouches for', () =>
    refused(fetchChart('/a.tgz', {}), 14, /cannot be reached: .*(SELF_SIGNED|UNABLE_TO)/));
  test('vouched for by the CA bundle', () => fetchChart('/a.tgz', { caBundle }));
  test('not verified at all', () => fetchChart('/a.tgz', { insecureSkipVerify: true }));
  test('the CA bundle stands beside the system, and among other certificates', () => {
    const both = Buffer.from(`# ours\n${createAuthority('other').ca}\n${authority.ca}`);
    return fetchChart('/a.tgz', { caBundle: both });
  });
  test('a client certificate', () => fetchChart('/certificate', { caBundle, ...identity }));
  test('without it', () => refused(fetchChart('/certificate', { caBundle }), 3, /answered 401/));
  test('everything at once', () =>
    fetchChart('/login/certificate', { token: 'tok', insecureSkipVerify: true, caBundle, ...identity }));
  test('a client certificate does not follow to another origin', async () => {
    const seen = server.requests.length;
    await fetchChart('/away', { caBundle, ...identity });
    const certificates = server.requests.slice(seen).map(({ socket }) => (socket as TLSSocket).authorized);
    assert.deepEqual(certificates, [true, false]);
  });
  test('what was fetched without verification is not for who wants it verified', async () => {
    await fetchChart('/a.tgz', { insecureSkipVerify: true });
    await refused(fetchChart('/a.tgz', {}), 14, /cannot be reached/);
  });
});

describe('credentials that cannot be right', () => {
  const other = createAuthority('other').issue('other');
  const cases: [string, Partial<ChartRequest>, RegExp][] = [
    ['token and password', { token: 't', username: 'u', password: 'p' }, /give one of/],
    ['a token with a line break', { token: 'a\r\nx: y' }, /token has characters/],
    ['a CA bundle of nothing', { caBundle: Buffer.from('x') }, /ca_bundle has no PEM certificate/],
    [
      'a CA bundle that is broken',
      { caBundle: Buffer.from('-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----') },
      /ca_bundle is no PEM/,
    ],
    ['a certificate without key', { clientCertificate: identity.clientCertificate }, /belong together/],
    ['a key without certificate', { clientKey: identity.clientKey }, /belong together/],
    ['a key of another certificate', { ...identity, clientKey: Buffer.from(other.key) }, /is not the key of/],
    ['a certificate as key', { ...identity, clientKey: identity.clientCertificate }, /no PEM private key/],
  ];
  for (const [title, given, message] of cases) {
    test(title, () => refused(fetchChart('/a.tgz', given), 3, message));
  }
  test('user info beside a token', () => {
    const chartUrl = server.url.replace('//', '//u:p@');
    return refused(fetchChart('', { chartUrl, token: 't' }), 3, /give one of/);
  });
});

describe('through a proxy', () => {
  let proxy: Server;
  let proxied: Charts;
  let proxyUrl: string;
  const resolveHost = () => Promise.reject(new Error('ENOTFOUND'));
  const asked: string[] = [];

  before(async () => {
    proxy = createServer((request, response) => {
      asked.push(`${request.method} ${request.url}`);
      response.end(packed);
    });
    proxy.on('connect', (request, socket) => {
      asked.push(`CONNECT ${request.url}`);
      const upstream = connect(server.port, '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        upstream.pipe(socket).pipe(upstream);
      });
      socket.on('error', () => upstream.destroy());
      upstream.on('error', () => socket.destroy());
    });
    const listening = Promise.withResolvers<void>();
    proxy.listen(0, '127.0.0.1', listening.resolve);
    await listening.promise;
    const { port } = proxy.address() as AddressInfo;
    proxyUrl = `http://127.0.0.1:${port}`;
    proxied = createTestCharts({ proxyFor: () => proxyUrl, resolveHost });
  });

  after(async () => {
    await proxied.close();
    proxy.close();
    proxy.closeAllConnections();
  });

  const fetchProxied = (chartUrl: string) => proxied.resolve(chartRequest({ chartUrl, caBundle }), noSignal);

  test('http goes as a whole URL', async () => {
    await fetchProxied('http://charts.example.test/a.tgz');
    assert.equal(asked.at(-1), 'GET http://charts.example.test/a.tgz');
  });
  test('https goes through a tunnel and is verified at its end', async () => {
    const allowed = createTestCharts({ proxyFor: () => proxyUrl, resolveHost, allow: ['localhost'] });
    await allowed.resolve(chartRequest({ chartUrl: 'https://localhost/a.tgz', caBundle }), noSignal);
    await allowed.close();
    assert.equal(asked.at(-1), 'CONNECT localhost:443');
    await refused(fetchProxied('https://charts.example.test/a.tgz'), 14, /ERR_TLS_CERT_ALTNAME_INVALID/);
  });
  test('addresses that are refused are not asked for', async () => {
    const count = asked.length;
    for (const host of ['169.254.169.254', 'localhost', 'metadata.google.internal']) {
      await refused(fetchProxied(`http://${host}/`), 3, /refused/);
    }
    assert.equal(asked.length, count);
  });
});
