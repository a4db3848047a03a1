import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { getCACertificates } from 'node:tls';
import { sharedCertificate } from '../../test/support/certificates.ts';
import { eventually } from '../../test/support/eventually.ts';
import { createKubeconfigAccess } from './kubeconfig-access.ts';

let caPem: string;
let certPem: string;
let keyPem: string;
before(async () => {
  ({ caPem, certPem, keyPem } = await sharedCertificate());
});
const folder = mkdtempSync(join(tmpdir(), 'kubeconfig-'));
after(() => rmSync(folder, { recursive: true }));

/** The fields of a user or a cluster. */
type Fields = Record<string, unknown>;

function kubeconfig(user: Fields, cluster: Fields = {}): string {
  return JSON.stringify({
    'current-context': 'c',
    contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
    clusters: [{ name: 'c', cluster: { server: 'https://10.0.0.1:6443/', ...cluster } }],
    users: [{ name: 'u', user }],
  });
}

/** The machine's own authorities take long to read: there are none unless the environment says otherwise. */
function accessTo(
  user: Fields,
  cluster: Fields = {},
  environment: NodeJS.ProcessEnv = { SSL_CERT_FILE: '/dev/null' },
) {
  return createKubeconfigAccess({ kubeconfig: { contents: kubeconfig(user, cluster) }, environment });
}

function write(name: string, content: string, mode = 0o600): string {
  const file = join(folder, name);
  writeFileSync(file, content, { mode });
  return file;
}

const apiVersion = 'client.authentication.k8s.io/v1beta1';

/** A plugin that prints a new token each time. */
function writePlugin(name: string, extra = ''): string {
  const count = join(folder, `${name}.count`);
  const script = `#!/bin/sh
echo x >> ${count}
${extra}
printf '{"apiVersion":"${apiVersion}","kind":"ExecCredential","status":{"token":"token-%s"}}' "$(wc -l < ${count} | tr -d ' ')"
`;
  return write(name, script, 0o700);
}

/** A user with that plugin. */
function plugin(command: string, more: Fields = {}): Fields {
  return { exec: { apiVersion, command, ...more } };
}

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

const base64 = (text: string) => Buffer.from(text).toString('base64');

describe('credentials of a kubeconfig', () => {
  test('a token', async () => {
    const { headers, server, agent } = await accessTo({ token: 'abc' }).settings();
    assert.deepEqual(headers, { authorization: 'Bearer abc' });
    assert.equal(server, 'https://10.0.0.1:6443');
    assert.equal(agent, undefined);
  });

  test('a token file, read again when it changes, and preferred to a token', async () => {
    const access = accessTo({ tokenFile: write('token', 'one\n'), token: 'old' });
    assert.deepEqual((await access.settings()).headers, { authorization: 'Bearer one' });
    write('token', 'two');
    assert.deepEqual((await access.settings()).headers, { authorization: 'Bearer two' });
  });

  test('a name and a password', async () => {
    const { headers } = await accessTo({ username: 'me', password: 'p:w' }).settings();
    assert.deepEqual(headers, { authorization: `Basic ${base64('me:p:w')}` });
  });

  test('a client certificate as data and as files, and the CA', async () => {
    const data = { 'client-certificate-data': base64(certPem), 'client-key-data': base64(keyPem) };
    const files = { 'client-certificate': write('cert', certPem), 'client-key': write('key', keyPem) };
    for (const [user, cluster] of [
      [data, { 'certificate-authority-data': base64(caPem) }],
      [files, { 'certificate-authority': write('ca', caPem) }],
    ] as const) {
      const { ca, cert, key } = (await accessTo(user, cluster).settings()).tls;
      assert.deepEqual([ca, cert, key].map(String), [caPem, certPem, keyPem]);
    }
  });

  test('how the server is verified', async () => {
    const cluster = { 'insecure-skip-tls-verify': true, 'tls-server-name': 'api' };
    const { tls } = await accessTo({ token: 't' }, cluster).settings();
    assert.equal(tls.servername, 'api');
    assert.equal(tls.rejectUnauthorized, false);
  });

  test('the authorities of the environment, or of the system, where the kubeconfig has none', async () => {
    const given = await accessTo({ token: 't' }, {}, { SSL_CERT_FILE: write('extra-ca', caPem) }).settings();
    assert.deepEqual(
      [given.tls.ca].flat().map(pem => String(pem).trim()),
      [caPem.trim()],
    );
    const { tls } = await accessTo({ token: 't' }, {}, {}).settings();
    assert.ok(Array.isArray(tls.ca) && tls.ca.length >= getCACertificates('default').length);
  });

  test('those of a folder of the environment, which is read once', async () => {
    const authorities = join(folder, 'authorities');
    mkdirSync(authorities);
    writeFileSync(join(authorities, 'ca.pem'), caPem);
    const environment = { SSL_CERT_DIR: `${join(folder, 'no-folder')}:${authorities}` };
    const access = accessTo({ token: 't' }, {}, environment);
    const { tls } = await access.settings();
    assert.equal(String([tls.ca].flat().at(-1)).trim(), caPem.trim());
    rmSync(authorities, { recursive: true });
    const again = await access.settings();
    assert.deepEqual(again.tls.ca, tls.ca);
    assert.equal(again.tls.secureContext, tls.secureContext);
  });

  test('another identity to act as', async () => {
    const user = { token: 't', as: 'jane', 'as-groups': ['a', 'b'], 'as-uid': '7' };
    assert.deepEqual((await accessTo(user).settings()).headers, {
      authorization: 'Bearer t',
      'impersonate-user': 'jane',
      'impersonate-group': ['a', 'b'],
      'impersonate-uid': '7',
    });
  });

  test('a plugin, whose token is kept until it is refused', async () => {
    const access = accessTo(plugin(writePlugin('plugin')));
    const token = async () => (await access.settings()).headers.authorization;
    assert.equal(await token(), 'Bearer token-1');
    assert.equal(await token(), 'Bearer token-1');
    access.forget();
    assert.equal(await token(), 'Bearer token-2');
  });

  test('a plugin is told about the cluster, and started once for all who wait', async () => {
    const info = join(folder, 'info');
    const command = writePlugin('informed', `printf '%s' "$KUBERNETES_EXEC_INFO" > ${info}; sleep 0.2`);
    const access = accessTo(plugin(command, { provideClusterInfo: true }), {
      'certificate-authority-data': base64(caPem),
    });
    const all = await Promise.all([access.settings(), access.settings(), access.settings()]);
    assert.deepEqual(
      all.map(({ headers }) => headers.authorization),
      Array(3).fill('Bearer token-1'),
    );
    const { spec } = JSON.parse(readFileSync(info, 'utf8'));
    assert.equal(spec.cluster['certificate-authority-data'], base64(caPem));
    assert.equal(spec.interactive, false);
  });

  test('a plugin that fails is named, but not what it printed', async () => {
    const command = write('failing', '#!/bin/sh\necho s3cret >&2\nexit 1\n', 0o700);
    await assert.rejects(accessTo(plugin(command)).settings(), (error: Error) => {
      assert.equal(error.message, `getting credentials from the plugin ${command}: it ended with status 1`);
      return true;
    });
  });

  test('a plugin that hangs is killed, and asked again by the next attempt', async () => {
    const started = join(folder, 'hanging.pid');
    const command = write(
      'hanging',
      `#!/bin/sh\necho $$ >> ${started}\nsleep 1000 &\necho $! >> ${started}\nwait\n`,
      0o700,
    );
    const contents = kubeconfig(plugin(command));
    const access = createKubeconfigAccess({
      kubeconfig: { contents },
      environment: {},
      pluginTimeoutMs: 300,
    });
    const expected = { message: `getting credentials from the plugin ${command}: no answer within 0.3 s` };
    await assert.rejects(access.settings(), expected);
    await assert.rejects(access.settings(), expected);
    const pids = readFileSync(started, 'utf8').trim().split('\n').map(Number);
    assert.equal(pids.length, 4); // the plugin and what it started, twice
    for (const pid of pids) await eventually(() => !isThere(pid)); // the kernel takes a moment to bury them
  });

  test('a plugin whose credentials have expired is asked again', async () => {
    const command = write(
      'expiring',
      `#!/bin/sh
echo x >> ${folder}/expiring.count
printf '{"apiVersion":"${apiVersion}","status":{"token":"t%s","expirationTimestamp":"2020-01-01T00:00:00Z"}}' "$(wc -l < ${folder}/expiring.count | tr -d ' ')"
`,
      0o700,
    );
    const access = accessTo(plugin(command));
    assert.equal((await access.settings()).headers.authorization, 'Bearer t1');
    assert.equal((await access.settings()).headers.authorization, 'Bearer t2');
  });

  test('a plugin that gives a certificate', async () => {
    const credential = { apiVersion, status: { clientCertificateData: certPem, clientKeyData: keyPem } };
    const command = write('certifying', `#!/bin/sh\nprintf '%s' '${JSON.stringify(credential)}'\n`, 0o700);
    const { tls } = await accessTo(plugin(command)).settings();
    assert.deepEqual([tls.cert, tls.key], [certPem, keyPem]);
  });

  for (const [what, script, reason] of [
    ['is not there', undefined, 'no such file'],
    ['prints something else', 'echo s3cret', 'in what it printed, the document is text instead of a mapping'],
    ['prints nothing', 'true', `it printed no ExecCredential of ${apiVersion}`],
    [
      'prints no credentials',
      `echo '{"apiVersion":"${apiVersion}"}'`,
      'it printed no ExecCredential with a token or a certificate',
    ],
    ['prints without end', 'yes s3cret', 'it printed more than 1048576 bytes'],
  ] as const) {
    test(`a plugin that ${what} is an error that says so`, async () => {
      const name = `plugin ${what}`;
      const command =
        script === undefined ? join(folder, name) : write(name, `#!/bin/sh\n${script}\n`, 0o700);
      await assert.rejects(accessTo(plugin(command)).settings(), {
        message: `getting credentials from the plugin ${command}: ${reason}`,
      });
    });
  }

  test('an identity provider whose token is still good', async () => {
    const payload = Buffer.from(JSON.stringify({ exp: Math.floor(Date.now() / 1000) + 3600 })).toString(
      'base64url',
    );
    const token = `e30.${payload}.c2ln`;
    const access = accessTo({
      'auth-provider': {
        name: 'oidc',
        config: { 'id-token': token, 'client-id': 'c', 'idp-issuer-url': 'https://127.0.0.1:1' },
      },
    });
    assert.deepEqual((await access.settings()).headers, { authorization: `Bearer ${token}` });
  });

  test('a proxy of the kubeconfig, or of the environment', async () => {
    const proxied = ['http://proxy:3128', undefined].map(url =>
      accessTo(
        { token: 't' },
        url ? { 'proxy-url': url } : {},
        url ? {} : { HTTPS_PROXY: 'http://other:3128' },
      ),
    );
    for (const access of proxied) {
      const { agent, headers } = await access.settings();
      assert.ok(agent);
      assert.deepEqual(headers, { authorization: 'Bearer t' });
    }
  });
});

describe('the kubeconfig', () => {
  test('is found by KUBECONFIG; the first file wins, and paths are relative to their file', async () => {
    const [a, b] = ['a', 'b'].map(name => join(folder, name)) as [string, string];
    for (const directory of [a, b]) mkdirSync(directory);
    writeFileSync(join(a, 'config'), kubeconfig({ tokenFile: 'token' }));
    writeFileSync(join(a, 'token'), 'from-a');
    writeFileSync(join(b, 'config'), kubeconfig({ token: 'from-b' }));
    const files = `${join(a, 'config')}:${join(b, 'config')}`;
    const { headers } = await createKubeconfigAccess({ environment: { KUBECONFIG: files } }).settings();
    assert.deepEqual(headers, { authorization: 'Bearer from-a' });
  });

  test('is read again when it changes', async () => {
    const file = write('changing', kubeconfig({ token: 'one' }));
    const access = createKubeconfigAccess({ kubeconfig: { file }, environment: {} });
    assert.deepEqual((await access.settings()).headers, { authorization: 'Bearer one' });
    write('changing', kubeconfig({ token: 'two' }));
    assert.deepEqual((await access.settings()).headers, { authorization: 'Bearer two' });
  });

  const broken: [string, string, string | undefined, RegExp][] = [
    ['no YAML', '{s3cret: [', undefined, /is not YAML at line 1$/],
    ['no mapping', 's3cret', undefined, /the document is text instead of a mapping$/],
    ['no list', 'users: s3cret', undefined, /users is text instead of a list/],
    ['no current context', 'users: []', undefined, /no current context: name one with --kube-context/],
    ['no such context', kubeconfig({}), 'other', /no context "other"/],
    ['no server', kubeconfig({}, { server: '' }), undefined, /has no cluster with a server/],
    [
      'a server with a password',
      kubeconfig({}, { server: 'https://u:s3cret@h' }),
      undefined,
      /^user "u" of the given kubeconfig has no credentials$/,
    ],
    [
      'no such user',
      kubeconfig({}).replace('"name":"u"', '"name":"x"'),
      undefined,
      /^user "u" of the kubeconfig has no credentials$/,
    ],
    [
      'an unreadable token file',
      kubeconfig({ tokenFile: '/nowhere/s' }),
      undefined,
      /reading \/nowhere\/s, .*no such file/,
    ],
  ];
  for (const [name, contents, context, message] of broken) {
    test(`${name} is an error that gives nothing away`, async () => {
      const access = createKubeconfigAccess({
        kubeconfig: { contents },
        ...(context && { context }),
        environment: {},
      });
      await assert.rejects(access.settings(), (error: Error & { code: number }) => {
        assert.equal(error.code, 14);
        assert.match(error.message, message);
        assert.doesNotMatch(error.message, /s3cret/);
        return true;
      });
    });
  }

  test('a file that is not there is named', async () => {
    const access = createKubeconfigAccess({ kubeconfig: { file: '/nowhere/config' } });
    await assert.rejects(access.settings(), {
      message: 'reading the kubeconfig /nowhere/config: no such file',
    });
  });
});
