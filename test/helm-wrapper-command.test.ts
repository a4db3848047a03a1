/** The program started as helm-wrapper is: its flags, its configuration file, its root. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, test } from 'node:test';
import { startServer } from './charts/repository-server.ts';
import { startGatewayProcess } from './support/gateway-process.ts';

const folder = mkdtempSync(join(tmpdir(), 'helm-wrapper-command-'));
after(() => rmSync(folder, { recursive: true }));

test('started with --compat helm-wrapper and a file', async t => {
  await using server = await startServer((_request, response) =>
    response.end('entries: {web: [{name: web, version: 1.0.0, urls: [a]}]}'),
  );
  const config = join(folder, 'config.yaml');
  writeFileSync(
    config,
    `uploadPath: ${folder}/charts\nhelmRepos: [{name: stable, url: "${server.url}"}]\nnope: 1\n`,
  );
  const flags = [
    '--compat',
    'helm-wrapper',
    '--config',
    config,
    '--connector=sandbox',
    '--chart-allow-loopback',
  ];
  const { port, seen } = await startGatewayProcess(t, [...flags, '--repository-cache=/c', '--logtostderr']);
  const get = async (path: string) => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`);
    return [answer.status, answer.headers.get('content-type'), await answer.text()];
  };
  assert.deepEqual(await get('/'), [200, 'text/plain; charset=utf-8', 'Welcome helm wrapper server']);
  assert.equal((await get('/openapi.json'))[0], 200);
  assert.deepEqual(JSON.parse(String((await get('/api/repositories'))[2])), {
    code: 0,
    data: [{ name: 'stable', url: `${server.url}/` }],
  });
  assert.equal((await get('/tiller/v2/version/json'))[0], 200);
  await seen(/--repository-cache: no effect: indexes are kept in memory/);
  await seen(/unknown field "nope"/);
});

test('called helm-wrapper', () => {
  const command = join(folder, 'helm-wrapper');
  symlinkSync(resolve('src/main.ts'), command);
  const started = spawnSync(
    process.execPath,
    [command, '--addr', '0.0.0.0', '--port', '81', '--kubeconfig', '/k', '--print-config'],
    { cwd: folder, encoding: 'utf8' },
  );
  assert.equal(started.stderr, '');
  for (const line of [
    'addr: "0.0.0.0:81"',
    'compat: helm-wrapper',
    'kubeconfig: /k',
    'connector: kubeconfig',
  ])
    assert.ok(started.stdout.includes(`${line}\n`), `${line} in ${started.stdout}`);
});
