import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { proxyFor } from './proxy.ts';

describe('proxyFor', () => {
  const cases: [string, NodeJS.ProcessEnv, string | undefined][] = [
    ['https://10.0.0.1:6443', {}, undefined],
    ['https://10.0.0.1:6443', { HTTPS_PROXY: 'http://proxy:3128' }, 'http://proxy:3128'],
    ['https://10.0.0.1:6443', { https_proxy: 'proxy:3128' }, 'http://proxy:3128'],
    ['https://10.0.0.1:6443', { HTTP_PROXY: 'http://proxy:3128' }, undefined],
    ['http://10.0.0.1:8080', { HTTP_PROXY: 'http://proxy:3128' }, 'http://proxy:3128'],
    ['https://127.0.0.1:6443', { HTTPS_PROXY: 'http://proxy:3128' }, undefined],
    ['https://localhost', { HTTPS_PROXY: 'http://proxy:3128' }, undefined],
    ['https://[::1]:6443', { HTTPS_PROXY: 'http://proxy:3128' }, undefined],
    ['https://10.1.2.3', { HTTPS_PROXY: 'p', NO_PROXY: '10.0.0.0/8' }, undefined],
    ['https://11.1.2.3', { HTTPS_PROXY: 'p', NO_PROXY: '10.0.0.0/8' }, 'http://p'],
    ['https://[fd00::1]', { HTTPS_PROXY: 'p', NO_PROXY: 'fd00::/8' }, undefined],
    ['https://10.1.2.3', { HTTPS_PROXY: 'p', NO_PROXY: '10.0.0.0/99' }, 'http://p'],
    ['https://api.example.org', { HTTPS_PROXY: 'p', NO_PROXY: 'a.b, example.org' }, undefined],
    ['https://api.example.org', { HTTPS_PROXY: 'p', NO_PROXY: '.example.org' }, undefined],
    ['https://api.example.org', { HTTPS_PROXY: 'p', NO_PROXY: '*.example.org' }, undefined],
    ['https://api.example.org', { HTTPS_PROXY: 'p', NO_PROXY: 'ample.org' }, 'http://p'],
    ['https://api.example.org:6443', { HTTPS_PROXY: 'p', NO_PROXY: 'api.example.org:443' }, 'http://p'],
    ['https://api.example.org', { HTTPS_PROXY: 'p', NO_PROXY: 'api.example.org:443' }, undefined],
    ['https://api.example.org', { HTTPS_PROXY: 'p', no_proxy: '*' }, undefined],
  ];
  for (const [server, environment, expected] of cases) {
    test(`${server} with ${JSON.stringify(environment)}`, () => {
      assert.equal(proxyFor(server, environment), expected);
    });
  }
});
