import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Request, Response } from 'express';
import { type CorsOptions, crossOrigin } from './headers.ts';

/** The headers that a request from this origin gets. */
function headersFor(
  options: Partial<CorsOptions>,
  origin: string | undefined,
  allow?: readonly string[],
): Record<string, string> {
  const headers: Record<string, string> = {};
  const response = {
    getHeader: (name: string) => headers[name],
    setHeader(name: string, value: string) {
      headers[name] = value;
    },
  } as unknown as Response;
  const request = {
    method: allow ? 'OPTIONS' : 'GET',
    headers: origin === undefined ? {} : { origin },
    res: response,
  } as unknown as Request;
  let goesOn = false;
  const cors = crossOrigin({ enabled: true, originHosts: ['*'], allowSubdomains: false, ...options }, () => [
    ...(allow ?? []),
  ]);
  void cors(request, response, () => {
    goesOn = true;
  });
  assert.ok(goesOn, 'a preflight is answered by the pipeline');
  return headers;
}

const allowed = (options: Partial<CorsOptions>, origin: string) =>
  headersFor(options, origin)['Access-Control-Allow-Origin'];

describe('CORS', () => {
  test('off: not a header', () => {
    assert.deepEqual(headersFor({ enabled: false }, 'https://a.test', ['GET']), {});
  });

  test('any origin is told as *, never reflected, and never with credentials', () => {
    for (const origin of ['https://a.test', 'null']) {
      const headers = headersFor({}, origin, ['GET', 'PUT']);
      assert.equal(headers['Access-Control-Allow-Origin'], '*');
      assert.equal(headers['Access-Control-Allow-Methods'], 'GET, PUT');
      assert.equal(headers['Access-Control-Allow-Credentials'], undefined);
      assert.equal(headers.Vary, undefined);
    }
    assert.deepEqual(headersFor({}, undefined), {});
  });

  test('hosts: with their port, whatever the case, and nothing that merely looks alike', () => {
    const options = { originHosts: ['A.test', 'b.test:8080'] };
    assert.equal(allowed(options, 'https://a.test'), 'https://a.test');
    assert.equal(allowed(options, 'http://b.test:8080'), 'http://b.test:8080');
    for (const origin of [
      'https://a.test:1',
      'https://b.test',
      'https://x.a.test',
      'https://a.test.evil',
      'null',
      '%',
    ])
      assert.equal(allowed(options, origin), undefined, origin);
  });

  test('subdomains only where they are let in', () => {
    const options = { originHosts: ['a.test'], allowSubdomains: true };
    assert.equal(allowed(options, 'https://x.y.a.test'), 'https://x.y.a.test');
    assert.equal(allowed(options, 'https://evila.test'), undefined);
  });

  test('caches keep the answers of origins apart', () => {
    assert.equal(headersFor({ originHosts: ['a.test'] }, undefined).Vary, 'Origin');
  });
});
