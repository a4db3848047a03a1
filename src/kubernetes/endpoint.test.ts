import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { GatewayError } from '../protocol/index.ts';
import { hostPort, parseEndpoint } from './endpoint.ts';

describe('parseEndpoint', () => {
  const good: [string, string, number, boolean | undefined][] = [
    ['tiller-deploy:44134', 'tiller-deploy', 44134, undefined],
    ['tiller-deploy.kube-system.svc', 'tiller-deploy.kube-system.svc', 44134, undefined],
    ['127.0.0.1:1', '127.0.0.1', 1, undefined],
    ['[::1]:44135', '::1', 44135, undefined],
    ['http://tiller:80/', 'tiller', 80, false],
    ['https://tiller', 'tiller', 44134, true],
    ['TLS://tiller:443', 'tiller', 443, true],
  ];
  for (const [text, host, port, tls] of good) {
    test(`reads ${text}`, () => assert.deepEqual(parseEndpoint(text), { address: { host, port }, tls }));
  }

  test('reads Unix sockets', () => {
    assert.deepEqual(parseEndpoint('unix:/run/tiller.sock'), {
      address: { path: '/run/tiller.sock' },
      tls: undefined,
    });
    assert.deepEqual(parseEndpoint('unix:///run/t').address, { path: '/run/t' });
  });

  const bad = [
    '',
    ':44134',
    'a:0',
    'a:65536',
    'a:b',
    'a b:1',
    'a/b',
    'ftp://a',
    'unix:relative',
    'http://a/path',
    '::1',
  ];
  for (const text of bad) {
    test(`refuses ${JSON.stringify(text)}`, () => assert.throws(() => parseEndpoint(text), { code: 3 }));
  }

  test('refuses credentials without repeating them', () => {
    assert.throws(
      () => parseEndpoint('https://user:s3cret@tiller:1'),
      (error: Error) => !error.message.includes('s3cret'),
    );
  });

  test('gives an address in range or a GatewayError for any text', () => {
    fc.assert(
      fc.property(fc.string(), text => {
        try {
          const { address } = parseEndpoint(text);
          return 'path' in address || (address.port > 0 && address.port < 65536 && address.host !== '');
        } catch (error) {
          return error instanceof GatewayError;
        }
      }),
      { numRuns: 300 },
    );
  });
});

test('hostPort puts brackets around IPv6 addresses', () => {
  assert.equal(hostPort('::1', 2), '[::1]:2');
  assert.equal(hostPort('a', 2), 'a:2');
});
