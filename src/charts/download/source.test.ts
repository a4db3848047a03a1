import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hostOf, parseSourceUrl, showUrl } from './source.ts';

test('user info is taken out, and decoded', () => {
  const { url, userInfo } = parseSourceUrl('https://me%40x:p%3Aw@host:8443/a.tgz?sig=1#f');
  assert.equal(url.href, 'https://host:8443/a.tgz?sig=1');
  assert.equal(userInfo, 'me@x:p:w');
  assert.equal(parseSourceUrl('https://host/').userInfo, undefined);
});

test('user info that is badly encoded is taken as it is', () => {
  assert.equal(parseSourceUrl('https://50%:x@host/').userInfo, '50%:x');
});

test('messages name neither user info nor query', () => {
  assert.equal(showUrl(new URL('https://me:secret@host/a.tgz?sig=secret#f')), 'https://host/a.tgz');
});

test('a relative URL is resolved', () => {
  assert.equal(parseSourceUrl('../b.tgz', new URL('https://host/x/y/')).url.href, 'https://host/x/b.tgz');
});

test('hosts without brackets, and in their plain form', () => {
  const hosts = ['http://[::1]:80/', 'http://0x7f.1/', 'http://2130706433/', 'http://EXAMPLE.com/'];
  assert.deepEqual(
    hosts.map(text => hostOf(new URL(text))),
    ['::1', '127.0.0.1', '127.0.0.1', 'example.com'],
  );
});

test('what is no http(s) URL', () => {
  for (const text of [
    '',
    'a.tgz',
    '//host/a',
    'ftp://host/a',
    'file:///a',
    'http://',
    'http://a b/',
    'data:,x',
  ]) {
    assert.throws(() => parseSourceUrl(text), { code: 3 }, text);
  }
});
