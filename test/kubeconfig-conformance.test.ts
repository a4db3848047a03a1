import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, describe, test } from 'node:test';
import { createKubeconfigAccess, getJson } from '../src/kubernetes/index.ts';
import { GatewayError } from '../src/protocol/index.ts';
import {
  type KubeconfigServers,
  type SeenRequest,
  startKubeconfigServers,
} from './support/kubeconfig-servers.ts';

/*
 * Kubeconfigs with what kubectl 1.35.2 makes of each (conformance/kubeconfigs/README.md): the same server by the same TLS
 * with the same credentials, or an error.
 */

type StoredFile =
  | string
  | { readonly program: string }
  | { readonly base64: string }
  | { readonly link: string };

interface Case {
  readonly name: string;
  readonly about: string;
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly files: Readonly<Record<string, StoredFile>>;
  readonly expect: Expectation;
}

interface Expectation {
  readonly error?: string;
  readonly field?: string;
  readonly server?: string;
  readonly tlsServerName?: string;
  readonly insecure?: true;
  readonly caData?: string;
  readonly proxyUrl?: string;
  readonly auth?: { readonly exec?: true; readonly none?: true } & Readonly<Record<string, unknown>>;
  readonly impersonate?: object;
  readonly execInfo?: object;
}

const data = new URL('conformance/kubeconfigs/', import.meta.url);

function readCases(): Case[] {
  const [first = '', ...lines] = readFileSync(new URL('cases.jsonl', data), 'utf8').trimEnd().split('\n');
  const texts: string[] = JSON.parse(first).texts;
  const fill = (line: string) =>
    line.replace(/§(\d+)§/g, (_, index: string) => JSON.stringify(texts[Number(index)]).slice(1, -1));
  return lines.map(line => JSON.parse(fill(line)));
}

/** One folder per case, and what the placeholders in it stand for. */
class Stage {
  readonly folder = mkdtempSync(join(tmpdir(), 'kubeconfigs-'));
  readonly #places: readonly (readonly [string, string])[];

  constructor({ apiPort, proxyPort }: KubeconfigServers) {
    this.#places = [
      ['CASE_DIR', this.folder],
      ['SERVER_PORT', String(apiPort)],
      ['PROXY_PORT', String(proxyPort)],
    ];
  }

  /** Real values for placeholders, in UTF-16 as well. */
  fill(text: string): string {
    const replace = (all: string, [name, value]: readonly [string, string]) =>
      all.replaceAll(name, value).replaceAll([...name].join('\0'), [...value].join('\0'));
    return this.#places.reduce(replace, text);
  }

  /** Placeholders for real values. */
  restore(text: string): string {
    return this.#places.reduce((all, [name, value]) => all.replaceAll(value, name), text);
  }

  write(files: Case['files']): void {
    for (const [name, content] of Object.entries(files)) {
      const file = join(this.folder, name);
      mkdirSync(dirname(file), { recursive: true });
      if (typeof content === 'string') writeFileSync(file, this.fill(content));
      else if ('link' in content) symlinkSync(content.link, file);
      else if ('program' in content) writeFileSync(file, this.fill(content.program), { mode: 0o700 });
      else {
        const text = Buffer.from(content.base64, 'base64').toString('latin1');
        writeFileSync(file, Buffer.from(this.fill(text), 'latin1'));
      }
    }
  }
}

/** A server without what means nothing to it: upper case in the host, a default port, zeros before a port. */
function comparable(server: string): string {
  const { origin, hostname } = new URL(server.replace('SERVER_PORT', '1'));
  const written = hostname === '127.0.0.1' ? `${server.includes('127.1') ? '127.1' : hostname} ` : '';
  return written + origin + server.replace(/^\w+:\/\/[^/]*/, '');
}

function observe(seen: SeenRequest, proxyPort: number): Expectation {
  const { host, headers, serverName, proxy, clientCertificate } = seen;
  const hostname = host.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
  const [authorization = ''] = headers.authorization ?? [];
  const extraPrefix = 'impersonate-extra-';
  const extra = Object.entries(headers).filter(([name]) => name.startsWith(extraPrefix));
  const impersonate = {
    ...(headers['impersonate-user'] && { user: headers['impersonate-user'][0] }),
    ...(headers['impersonate-uid'] && { uid: headers['impersonate-uid'][0] }),
    ...(headers['impersonate-group'] && { groups: headers['impersonate-group'] }),
    ...(extra.length > 0 && {
      extra: Object.fromEntries(extra.map(([name, values]) => [name.slice(extraPrefix.length), values])),
    }),
  };
  const login = proxy?.login && `${proxy.login.split(':').map(encodeURIComponent).join(':')}@`;
  return {
    server: `${seen.scheme}://${host}${seen.url.replace(/\/version$/, '')}`,
    ...(serverName && serverName !== hostname && { tlsServerName: serverName }),
    ...(proxy && { proxyUrl: `${proxy.kind}://${login ?? ''}127.0.0.1:${proxyPort}` }),
    auth: {
      ...(/^Bearer /i.test(authorization) && { token: authorization.slice(7) }),
      ...(/^Basic /.test(authorization) && {
        basic: Buffer.from(authorization.slice(6), 'base64').toString(),
      }),
      ...(clientCertificate && { clientCertificate }),
    },
    ...(Object.keys(impersonate).length > 0 && { impersonate }),
  };
}

async function run(definition: Case, stage: Stage, servers: KubeconfigServers): Promise<Expectation> {
  const { kubeconfig, context, env = {} } = definition;
  const given = Object.entries(env).map(([name, value]) => [name, stage.fill(value)]);
  const environment = {
    PATH: '/usr/bin:/bin',
    HOME: join(stage.folder, '.home'),
    ...Object.fromEntries(given),
  };
  const access = createKubeconfigAccess({
    ...(kubeconfig !== undefined && { kubeconfig: { file: stage.fill(kubeconfig) } }),
    ...(context !== undefined && { context }),
    environment,
  });
  servers.seen.length = 0;
  await getJson(access, '/version', { step: 'asking', signal: AbortSignal.timeout(10_000) });
  const { tls } = await access.settings();
  assert.equal(servers.seen.length, 1);
  const infoFile = ['', 'sub', 'bin']
    .map(name => join(stage.folder, name, 'exec-info.json'))
    .find(existsSync);
  const observed = {
    ...observe(servers.seen[0]!, servers.proxyPort),
    ...(tls.rejectUnauthorized === false && { insecure: true }),
    ...(Buffer.isBuffer(tls.ca) && { caData: createHash('sha256').update(tls.ca).digest('hex') }),
    ...(infoFile && { execInfo: JSON.parse(readFileSync(infoFile, 'utf8')) }),
  };
  return JSON.parse(stage.restore(JSON.stringify(observed)));
}

function checkRefusal(error: unknown, { field }: Expectation): true {
  assert.ok(error instanceof GatewayError, String(error));
  assert.equal(error.code, 14);
  assert.doesNotMatch(error.message, /synthetic-(?:token|password)/);
  if (field !== undefined) assert.ok(error.message.includes(field), error.message);
  return true;
}

describe('kubeconfigs as kubectl reads them', async () => {
  const servers = await startKubeconfigServers(data);
  const home = process.cwd();
  after(() => {
    process.chdir(home);
    servers.close();
  });
  for (const definition of readCases()) {
    test(`${definition.name}: ${definition.about}`, async t => {
      const stage = new Stage(servers);
      t.after(() => {
        process.chdir(home);
        rmSync(stage.folder, { recursive: true });
      });
      stage.write(definition.files);
      process.chdir(stage.folder); // relative paths, of kubeconfigs and for plugins, are relative to it
      const { expect } = definition;
      if (expect.error !== undefined) {
        await assert.rejects(run(definition, stage, servers), error => checkRefusal(error, expect));
        assert.deepEqual(servers.seen, [], 'nothing may be sent');
        return;
      }
      const observed = await run(definition, stage, servers);
      assert.equal(comparable(observed.server ?? ''), comparable(expect.server ?? ''));
      // whether a plugin was run shows in the token; the target of a proxy in the server that was reached
      const { exec, none, ...auth } = expect.auth ?? {};
      const comparison = { ...expect, auth, server: observed.server };
      for (const name of ['connect', 'namespace', 'warning', 'disableCompression'])
        delete comparison[name as keyof Expectation];
      assert.deepEqual(observed, comparison);
    });
  }
});
