import assert from 'node:assert/strict';
import type { IncomingHttpHeaders } from 'node:http';
import { describe, test } from 'node:test';
import { Guard } from './guard.ts';

const noCors = { enabled: false, originHosts: ['*'], allowSubdomains: false };
const socket = {};

describe('Host', () => {
  const guard = new Guard({
    allowedHosts: ['gw.example', '*.apps.example'],
    cors: noCors,
    isClusterName: host => host === 'swift',
  });
  const check = (host: string | undefined) =>
    guard.checkHost({ headers: host === undefined ? {} : { host }, socket });

  for (const host of [
    undefined,
    '127.0.0.1',
    '10.1.2.3:9855',
    '[::1]:9855',
    '[::ffff:10.0.0.1]',
    'localhost',
    'LOCALHOST:80',
    'localhost.',
    'a.localhost:1',
    'swift:9855',
    'gw.example',
    'GW.Example.:9855',
    'x.apps.example',
    'x.y.apps.example:80',
  ])
    test(`${host} is ours`, () => check(host));

  for (const host of [
    '',
    'evil.example',
    'evil.example:9855',
    'localhost.evil.example',
    'notlocalhost',
    '127.0.0.1.evil.example',
    '127.0.0.1@evil.example',
    'evil.example#localhost',
    'evil.example,localhost',
    'localhost evil.example',
    'gw.example.evil.example',
    'xgw.example',
    'apps.example',
    'xapps.example',
    '::1',
    '[evil.example]',
    '[::1].evil.example',
    'localhost:port',
    '0x7f.1',
    '.',
    'x',
  ])
    test(`${JSON.stringify(host)} is not`, () =>
      assert.throws(() => check(host), { reason: 'MISDIRECTED_REQUEST' }));

  test('so is the authority of HTTP/2', () => {
    guard.checkHost({ headers: { ':authority': 'localhost:1' }, socket });
    const refused = { reason: 'MISDIRECTED_REQUEST' };
    assert.throws(() => guard.checkHost({ headers: { ':authority': 'evil.example' }, socket }), refused);
    const both = { ':authority': 'localhost', host: 'evil.example' };
    assert.throws(() => guard.checkHost({ headers: both, socket }), refused);
  });

  test('* allows any', () =>
    new Guard({ allowedHosts: ['*'], cors: noCors }).checkHost({ headers: { host: 'x.y' }, socket }));

  test('over TLS the names in the certificate are ours too', () => {
    const certificate = { subject: { CN: 'x' }, subjectaltname: 'DNS:gateway.example, DNS:*.wild.example' };
    const secure = { encrypted: true, getCertificate: () => certificate };
    for (const host of ['gateway.example:443', 'a.wild.example'])
      guard.checkHost({ headers: { host }, socket: secure });
    assert.throws(() => guard.checkHost({ headers: { host: 'evil.example' }, socket: secure }));
  });
});

describe('Origin, where something is changed', () => {
  const own = { host: 'localhost:9855' };
  const json = { 'content-type': 'application/json', 'content-length': '2' };
  const check = (headers: IncomingHttpHeaders, cors = noCors, from: object = socket) =>
    new Guard({ allowedHosts: [], cors }).checkOrigin({ headers: { ...own, ...headers }, socket: from });

  const allowed: Record<string, IncomingHttpHeaders> = {
    'no browser': {},
    'curl -d': {
      'content-type': 'application/x-www-form-urlencoded',
      'content-length': '2',
      'user-agent': 'curl/8',
    },
    'no browser, text/plain': { 'content-type': 'text/plain', 'content-length': '2' },
    'curl -F': { 'content-type': 'multipart/form-data; boundary=x', 'content-length': '2' },
    'typed into the address line': {
      'sec-fetch-site': 'none',
      'sec-fetch-mode': 'navigate',
      'user-agent': 'Mozilla/5.0',
    },
    'own page': { 'sec-fetch-site': 'same-origin', origin: 'http://localhost:9855', ...json },
    'own page, +json': {
      origin: 'http://localhost:9855',
      'content-type': 'application/merge+json; charset=utf-8',
    },
    'own page, form': { origin: 'http://localhost:9855', 'content-type': 'multipart/form-data; boundary=x' },
    'own page, no body': { origin: 'http://localhost:9855', 'content-length': '0' },
    'own page, GET over plain HTTP': { referer: 'http://localhost:9855/', 'user-agent': 'Mozilla/5.0' },
    'own page behind the API server': {
      origin: 'http://localhost:8001',
      host: 'k8s.example',
      'sec-fetch-site': 'same-origin',
      'x-forwarded-uri': '/api/v1/x',
      ...json,
    },
    'own page behind a proxy with TLS': {
      origin: 'https://localhost:9855',
      'x-forwarded-proto': 'https',
      ...json,
    },
  };
  for (const [what, headers] of Object.entries(allowed)) test(`${what} may`, () => check(headers));

  const foreign: Record<string, IncomingHttpHeaders> = {
    'another site': { 'sec-fetch-site': 'cross-site' },
    'another port of the host': { 'sec-fetch-site': 'same-site' },
    'an unknown relation': { 'sec-fetch-site': 'same-origin, cross-site' },
    'an upper case relation': { 'sec-fetch-site': 'CROSS-SITE' },
    'another origin': { origin: 'http://evil.example', ...json },
    'another port': { origin: 'http://localhost:80', ...json },
    'another scheme': { origin: 'https://localhost:9855', ...json },
    'no origin': { origin: 'null', ...json },
    'an empty origin': { origin: '', ...json },
    'a longer origin': { origin: 'http://localhost:9855.evil.example', ...json },
    'another origin that says it is the same': {
      origin: 'http://evil.example',
      'sec-fetch-site': 'same-origin',
      ...json,
    },
    'another origin from the address line': {
      origin: 'http://evil.example',
      'sec-fetch-site': 'none',
      ...json,
    },
    'text/plain': { origin: 'http://evil.example', 'content-type': 'text/plain' },
    multipart: { origin: 'http://evil.example', 'content-type': 'multipart/form-data; boundary=x' },
    'an image over plain HTTP': { referer: 'http://evil.example/', 'user-agent': 'Mozilla/5.0' },
    'an image without a referrer': { 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64)' },
    'a longer referrer': { referer: 'http://localhost:9855.evil.example/' },
    'another site, own origin': { origin: 'http://localhost:9855', 'sec-fetch-site': 'cross-site' },
    'another site through the API server': {
      origin: 'http://evil.example',
      'sec-fetch-site': 'cross-site',
      'x-forwarded-uri': '/api',
    },
  };
  for (const [what, headers] of Object.entries(foreign))
    test(`${what} may not`, () => assert.throws(() => check(headers), { code: 7, reason: 'FORBIDDEN' }));

  for (const type of [
    'text/plain',
    'application/x-www-form-urlencoded',
    'text/json',
    'application/jsonx',
    undefined,
  ])
    test(`a page's ${type} is not read`, () =>
      assert.throws(
        () =>
          check({
            origin: 'http://localhost:9855',
            'content-length': '2',
            ...(type && { 'content-type': type }),
          }),
        {
          reason: 'UNSUPPORTED_MEDIA_TYPE',
        },
      ));

  test('a body is one over HTTP/2 too, where its length may not be said; one of no bytes is none', () => {
    const guard = new Guard({ allowedHosts: [], cors: noCors });
    const stream = { endAfterHeaders: false };
    const headers = { host: 'localhost:9855', origin: 'http://localhost:9855' };
    assert.throws(() => guard.checkOrigin({ headers, socket, stream }), { reason: 'UNSUPPORTED_MEDIA_TYPE' });
    guard.checkOrigin({ headers: { ...headers, 'content-length': '0' }, socket, stream });
    guard.checkOrigin({ headers, socket, stream: { endAfterHeaders: true } });
  });

  test('CORS lets its origins', () => {
    const cors = { enabled: true, originHosts: ['dash.example'], allowSubdomains: true };
    check({ origin: 'https://dash.example', 'sec-fetch-site': 'cross-site', ...json }, cors);
    check({ origin: 'https://a.dash.example', ...json }, cors);
    check({ 'sec-fetch-site': 'cross-site' }, { ...cors, originHosts: ['*'] });
    for (const origin of ['https://evil.example', 'null'])
      assert.throws(() => check({ origin, ...json }, cors), { reason: 'FORBIDDEN' });
    assert.throws(() => check({ 'sec-fetch-site': 'cross-site' }, cors), { reason: 'FORBIDDEN' });
  });

  test('over TLS the own origin is https', () => {
    const secure = { encrypted: true, getCertificate: () => ({}) };
    check({ origin: 'https://localhost:9855', ...json }, noCors, secure);
    assert.throws(() => check({ origin: 'http://localhost:9855', ...json }, noCors, secure));
  });
});

test('gRPC clients name the gateway as they like, web pages do not', () => {
  const guard = new Guard({ allowedHosts: [], cors: noCors });
  const call = (headers: IncomingHttpHeaders) =>
    guard.checkCall({ headers: { 'content-type': 'application/grpc', ...headers }, socket });
  call({ ':authority': 'tiller.any.example' });
  call({ ':authority': 'localhost:1', origin: 'http://localhost:1' });
  for (const headers of [
    { ':authority': 'localhost:1', origin: 'http://evil.example' },
    { ':authority': 'evil.example', origin: 'http://evil.example' },
    { ':authority': 'localhost:1', 'sec-fetch-site': 'cross-site' },
    { ':authority': 'evil.example', 'content-type': 'application/grpc-web+proto' },
  ])
    assert.throws(() => call(headers));
});
