import assert from 'node:assert/strict';
import { test } from 'node:test';
import { localPath, withoutLocalPaths } from './local-paths.ts';

test('of a path of this machine a client sees the last part, and of anything else all', () => {
  for (const path of ['/srv/app', '/srv/app/kube config', '/srv/c++ (x)/ca.crt', '/', ''])
    assert.equal(localPath(path), path);
  const texts: [string, string][] = [
    ['reading /srv/app/kube config, the CA: no such file', 'reading app/kube config, the CA: no such file'],
    ['ENOENT: open "/srv/c++ (x)/ca.crt"', 'ENOENT: open "ca.crt"'],
    ["open '/srv/app/a/b': x", "open 'app/a/b': x"],
    ['/srv/app:7: no YAML', 'app:7: no YAML'],
    ['unix:/srv/app', 'unix:app'],
    ['https://example.com/srv/app/x', 'https://example.com/srv/app/x'],
    ['/api/srv/app', '/api/srv/app'],
    ['/srv/apps and /srv/app-x and ./srv/app', '/srv/apps and /srv/app-x and ./srv/app'],
    ['nothing', 'nothing'],
  ];
  for (const [text, shown] of texts) assert.equal(withoutLocalPaths(text), shown);
});

test('a bounded number is known', () => {
  for (let index = 0; index < 2_100; index++) localPath(`/srv/many/${index}`);
  assert.equal(withoutLocalPaths('/srv/many/2099 /srv/many/0'), '2099 /srv/many/0');
});
