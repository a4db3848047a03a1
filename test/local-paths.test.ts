/**
 * No answer tells a client where on this machine a file is: whatever is wrong with the files that the gateway reads for
 * its clusters, charts, repositories, tunnels and sandbox, by every door.
 */
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect as http2Connect } from 'node:http2';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { encodeMessage } from '../src/codec/index.ts';
import { toFrame } from '../src/protocol/index.ts';
import { createFolder, type HubStage, startHub } from './support/hub-stage.ts';

const server = 'https://127.0.0.1:9';
type Cluster = Record<string, unknown>;
const config = (cluster: Cluster, user: Cluster = {}) =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'c', cluster: { server, ...cluster } }],
    users: [{ name: 'u', user }],
    contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'c',
  });
const exec = (command: string) => ({
  exec: { apiVersion: 'client.authentication.k8s.io/v1', command, interactiveMode: 'Never' },
});

/** What may be wrong with a kubeconfig and the files that it names; `there` is the folder of them. */
const kubeconfigs: Record<string, (there: string) => string | undefined> = {
  'is-missing': () => undefined,
  'no-yaml': () => 'a: [',
  'not-utf8': () => '\ud800\u0000: \u0001',
  'another-kind': () => 'apiVersion: v2\nkind: Other\n',
  'no-context': () => 'apiVersion: v1\nkind: Config\n',
  'wrong-type': () => config({ 'insecure-skip-tls-verify': 'no' }),
  'ca-missing': there => config({ 'certificate-authority': join(there, 'no-ca.crt') }),
  'ca-relative': () => config({ 'certificate-authority': 'no/ca.crt' }),
  'ca-no-pem': there => config({ 'certificate-authority': join(there, 'blank') }),
  'ca-a-folder': there => config({ 'certificate-authority': there }),
  'cert-missing': there =>
    config({}, { 'client-certificate': join(there, 'no.crt'), 'client-key': join(there, 'no.key') }),
  'cert-no-pem': there =>
    config({}, { 'client-certificate': join(there, 'blank'), 'client-key': join(there, 'blank') }),
  'key-missing': there => config({}, { 'client-certificate': join(there, 'blank') }),
  'token-missing': there => config({}, { tokenFile: join(there, 'no-token') }),
  'token-blank': there => config({}, { tokenFile: join(there, 'blank') }),
  'token-not-utf8': there => config({}, { tokenFile: join(there, 'binary') }),
  'token-a-folder': there => config({}, { tokenFile: there }),
  'plugin-missing': there => config({}, exec(join(there, 'no-plugin'))),
  'plugin-relative': () => config({}, exec('./no-plugin')),
  'plugin-not-executable': there => config({}, exec(join(there, 'blank'))),
  'plugin-fails': there => config({}, exec(join(there, 'fails'))),
  'plugin-no-program': there => config({}, exec(join(there, 'garbage'))),
};

const charts = {
  missing: 'no/chart',
  absolute: '/etc',
  above: '../../etc',
  'a file URL': 'file:///etc/hostname',
  'a broken link': 'broken',
  'a link out': 'out',
  'a link in a chart that leads out': 'linked',
  'a circle of links': 'circle',
  'rules that cannot be read': 'rules',
  'a file that is no archive': 'file.tgz',
  'a folder without a chart': '.',
  'NUL in its name': 'a\0b',
  'of a repository whose file is broken': 'stable/web',
};

let stage: HubStage;
let forbidden: string[];

const cleanups: (() => unknown)[] = [];
const suite = { after: (end?: unknown) => void cleanups.push(end as () => unknown) };
after(async () => {
  for (const end of cleanups.reverse()) await end();
});
before(async () => {
  const files = createFolder(suite);
  const there = files.folder;
  files.write('blank', ' \n');
  writeFileSync(join(there, 'binary'), Buffer.from([0xff, 0xfe, 0xfd]));
  files.write('fails', '#!/bin/sh\necho cannot open "$0" >&2\nexit 3\n');
  files.write('garbage', '\x7fELF');
  for (const name of ['fails', 'garbage']) chmodSync(join(there, name), 0o700);
  const lines = Object.entries(kubeconfigs).map(([name, make]) => {
    const text = make(there);
    if (text !== undefined) files.write(`${name}.kubeconfig`, text);
    const kubeconfig = name === 'is-missing' ? `${name}.kubeconfig` : join(there, `${name}.kubeconfig`);
    return `  - {name: ${name}, upstream: gateway, kubeconfig: ${kubeconfig}, service: "kube-system/swift:http"}`;
  });
  const chartDir = join(there, 'charts');
  for (const name of ['linked', 'circle', 'rules']) {
    mkdirSync(join(chartDir, name), { recursive: true });
    writeFileSync(join(chartDir, name, 'Chart.yaml'), 'name: a\nversion: 1.0.0\n');
  }
  symlinkSync(join(there, 'nothing'), join(chartDir, 'broken'));
  symlinkSync(there, join(chartDir, 'out'));
  symlinkSync(join(there, 'blank'), join(chartDir, 'linked/file'));
  symlinkSync('.', join(chartDir, 'circle/again'));
  writeFileSync(join(chartDir, 'rules/.helmignore'), '**/x\n');
  writeFileSync(join(chartDir, 'file.tgz'), 'no archive');
  stage = await startHub(suite, files, `clusters:\n${lines.join('\n')}\n`, [
    `--chart-dir=${chartDir}`,
    '--connector=sandbox',
    `--sandbox-dir=${join(there, 'sandbox')}`,
    '--cluster-timeout=9s',
  ]);
  forbidden = [there, tmpdir(), process.cwd(), homedir(), '/proc/self'].filter(path => path.length > 1);
});

function assertHidden(text: string, what: string): void {
  for (const path of forbidden)
    assert.ok(!text.includes(path), `${what} shows ${path}: ${text.slice(0, 600)}`);
}

async function ask(path: string, init: RequestInit = {}): Promise<{ status: number; text: string }> {
  const answer = await fetch(stage.url + path, init);
  const text = `${JSON.stringify([...answer.headers])}\n${await answer.text()}`;
  return { status: answer.status, text };
}

/** The status of a gRPC call, decoded. */
async function call(method: string, message: Buffer, cluster?: string): Promise<string> {
  const session = http2Connect(stage.url);
  const stream = session.request({
    ':method': 'POST',
    ':path': `/appscode.swift.v2.ReleaseService/${method}`,
    'content-type': 'application/grpc',
    te: 'trailers',
    ...(cluster !== undefined && { 'x-cluster': cluster }),
  });
  const seen: Record<string, unknown>[] = [];
  stream.on('response', headers => seen.push(headers)).on('trailers', headers => seen.push(headers));
  stream.end(toFrame(message));
  await stream.resume().toArray();
  session.close();
  const all = Object.assign({}, ...seen) as Record<string, unknown>;
  assert.notEqual(all['grpc-status'], '0', method);
  return decodeURIComponent(String(all['grpc-message']));
}

const version = '/tiller/v2/version/json';
const nothing = Buffer.alloc(0);

describe('the files of a cluster', () => {
  for (const name of Object.keys(kubeconfigs)) {
    test(name, async () => {
      const { status, text } = await ask(`/clusters/${name}${version}`);
      assert.ok(status >= 400, text);
      assertHidden(text, 'REST');
      assertHidden(await call('GetVersion', nothing, name), 'gRPC');
      const web = await ask('/appscode.swift.v2.ReleaseService/GetVersion', {
        method: 'POST',
        body: toFrame(nothing),
        headers: { 'content-type': 'application/grpc-web', 'x-cluster': name },
      });
      assertHidden(decodeURIComponent(web.text), 'gRPC-Web');
    });
  }

  test('in what is said of all clusters', async () => {
    for (const path of ['/clusters', '/clusters?check', `/clusters/-${version}`, '/readyz', '/metrics']) {
      assertHidden((await ask(path)).text, path);
      assertHidden((await ask(path, { headers: { accept: 'application/x-ndjson' } })).text, path);
    }
  });

  test('in what is said of a file of clusters that became wrong', async () => {
    assert.ok(stage.lines.length > 0); // logs have the paths, for those who run the gateway
    const { text } = await ask('/clusters');
    assert.match(text, /is-missing/);
  });
});

describe('charts', () => {
  for (const [what, url] of Object.entries(charts)) {
    test(what, async () => {
      const { status, text } = await ask('/tiller/v2/releases/a/json', {
        method: 'POST',
        body: JSON.stringify({ chart_url: url }),
        headers: { 'content-type': 'application/json' },
      });
      assert.ok(status >= 400, text);
      assertHidden(text, 'REST');
      const message = encodeMessage('appscode.swift.v2.InstallReleaseRequest', { name: 'a', chart_url: url });
      assertHidden(await call('InstallRelease', message), 'gRPC');
    });
  }
});

test('a folder of charts, and one of the sandbox, that are gone', async () => {
  for (const name of ['charts', 'sandbox']) rmSync(join(stage.folder, name), { recursive: true });
  const bodies = [{ chart_url: 'linked' }, { chart: { metadata: { name: 'x' } } }];
  for (const body of bodies) {
    const { text } = await ask('/tiller/v2/releases/b/json', {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json' },
    });
    assertHidden(text, JSON.stringify(body));
  }
});
