import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { unavailable } from '../protocol/index.ts';
import { firstLines, maskedRest, maskPayload, redact, redactText } from './redact.ts';

const secret = 'hunter2-S3CRET';

describe('redactText', () => {
  const texts = [
    `Authorization: Bearer ${secret}`,
    `authorization: basic ${secret}==`,
    `GET https://user:${secret}@charts.example.com/index.yaml failed`,
    `{"password":"${secret}","token": "${secret}"}`,
    `password=${secret}&x=1`,
    `client-secret: ${secret}`,
    `X-KubeToken: ${secret}`,
    `https://charts.example.com/web.tgz?X-Amz-Signature=${secret}&x=1 failed`,
    `-----BEGIN RSA PRIVATE KEY-----\n${secret}\n-----END RSA PRIVATE KEY-----`,
    `-----BEGIN PRIVATE KEY-----\n${secret}`,
    `-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\n${secret}\n-----END RSA PRIVATE KEY-----`,
    `-----BEGIN X509 KEY-----\\n${secret}`,
    `-----BEGIN PRIVATE KEY-----\n${'A'.repeat(30_000)}${secret}`,
    `a key LS0tLS1CRUdJTiBSU0E${secret}`,
    `eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJ.${secret}`,
    // headers of several words
    `authorization: Negotiate ${secret}`,
    `Authorization: Digest username="x", response="${secret}"`,
    `Authorization: AWS4-HMAC-SHA256 Credential=x/y, Signature=${secret}`,
    `Cookie: a=b; sid=${secret}`,
    `Set-Cookie: sid=${secret}; HttpOnly`,
    `Proxy-Authorization: x ${secret}`,
    `map[Authorization:[Bearer ${secret}]]`,
    `{"headers":{"authorization":["Basic ${secret}"]}}`,
    `"cookie":"a=b; sid=${secret}"`,
    `X-Api-Key: ${secret}`,
    // JSON, JSON in JSON, YAML
    `{"authorization":"x ${secret}"}`,
    `{\\"authorization\\":\\"x ${secret}\\"}`,
    `{"password":"a ${secret}"}`,
    `{"password":"a\\"${secret}"}`,
    `{\\"password\\":\\"${secret}\\"}`,
    `"{\\\\\\"password\\\\\\":\\\\\\"x ${secret}\\\\\\"}"`,
    `password='a b ${secret}'`,
    `"passwords":["a","${secret}"]`,
    `"password":{"value":"${secret}"}`,
    `"token":["${secret}"]`,
    `token: "${secret}`,
    `password:\n  ${secret}`,
    `password => ${secret}`,
    // other names
    `AWS_SECRET_ACCESS_KEY=${secret}`,
    `client-key-data: ${secret}`,
    `private_key: ${secret}`,
    `passphrase=${secret}`,
    `pwd=${secret}`,
    `/web.tgz?X-Amz-Signature=${secret}`,
    `/blob?sv=1&sig=${secret}`,
    `#access_token=${secret}`,
    // URLs
    `//user:${secret}@host`,
    `the proxy user:${secret}@proxy:3128 refused`,
    `user:${secret}@[::1]:3128`,
    `"https:\\/\\/user:${secret}@host"`,
    `https:user:${secret}@host`,
    `https:\\\\user:${secret}@host`,
    `https://user:a/${secret}@host`,
    `https://user:a#${secret}@host`,
    `socks5://user:${secret}@host`,
    `https://${secret}@host`,
    `?u=https%3A%2F%2Fuser%3A${secret}%40host`,
    `password%3D${secret}`,
    `%22password%22%3A%22${secret}%22`,
    `https://host/x?a=${'b'.repeat(9000)}${secret}`,
    `https://host/${'b'.repeat(3000)}?${secret}`,
  ];
  for (const text of texts) {
    test(text.slice(0, 40).replace(/\n/g, ' '), () => {
      assert.ok(!redactText(text).includes(secret), redactText(text));
      const error = new Error('reading the chart', { cause: new Error(text) });
      assert.ok(!JSON.stringify(redact({ a: [{ text, error }] })).includes(secret));
    });
  }

  test('leaves what is not secret', () => {
    for (const text of [
      'release: "web" not found',
      'https://host/a/b.tgz',
      'the token is missing',
      'v2.17.0',
      'https://host:443/a: connect failed',
      'oci://host/web@sha256:00',
      'host:5000/web:1.2@sha256:00',
      'from 10:30 to me@host, a: b@c',
      'secret "x" not found',
      'monkey: x, design: x, key: value',
      '--token-file=/x',
    ]) {
      assert.equal(redactText(text), text);
    }
  });

  test('stays quick on texts made to slow it down', () => {
    for (const part of ['a://', '-----BEGIN A', 'password=', 'bearer ', 'x-', ' '])
      redactText(part.repeat(20_000));
  });

  test('takes time in proportion to the text', () => {
    const parts = [
      'a://',
      '://',
      '://a:',
      '://user:pw',
      'a://b@',
      '://?',
      '%3a%2f%2f',
      'eyJ-',
      'LS0tLS1CRUdJTi',
    ];
    const more = [
      'password="',
      'token\\',
      'x-',
      'cookie',
      '-----BEGIN A-----',
      'authorization: ',
      '"password":',
    ];
    for (const part of [...parts, ...more]) {
      const timed = (chars: number): number => {
        const text = `${part.repeat(Math.ceil(chars / part.length))} token`;
        const times = Array.from({ length: 3 }, () => {
          const startedAt = process.cpuUsage();
          redactText(text);
          return process.cpuUsage(startedAt).user;
        });
        return Math.min(...times) / 1000;
      };
      // a megabyte took 5 s and more where each start was read to the end of the URL
      assert.ok(timed(1_000_000) < 1500, part);
    }
  });
});

describe('redact', () => {
  const names = [
    'password',
    'token',
    'bearerToken',
    'client_key',
    'clientKey',
    'private-key',
    'Authorization',
    'Cookie',
    'Set-Cookie',
    'client_certificate',
    'ca_bundle',
    'apiKey',
    'credentials',
    'clientSecret',
  ];
  for (const name of names) {
    test(`masks ${name}, at any depth`, () =>
      assert.ok(
        !JSON.stringify(redact({ a: [{ [name]: secret }], [name]: { b: secret } })).includes(secret),
      ));
  }

  test('keeps other fields', () => {
    const fields = { name: 'web', version: 3, keep: true, none: null, tokens: 5, monkey: 'x' };
    assert.deepEqual(redact(fields), fields);
  });

  test('tells an error by its causes and the stack of the first, without secrets', () => {
    const inner = new Error(`password=${secret}`);
    const text = String(redact(new Error('reading the chart', { cause: inner })));
    assert.match(text, /^reading the chart ← password=\*\*\*\n {4}at /);
    assert.ok(!text.includes(secret));
  });

  test('tells a foreseen failure by its causes alone', () => {
    const failure = unavailable('connecting to tiller', { cause: new Error('ECONNREFUSED') });
    assert.equal(redact(failure), 'connecting to tiller ← ECONNREFUSED');
  });

  test('has a bound in depth and in items, and takes anything', () => {
    const circle: Record<string, unknown> = { big: 1n, bytes: new Uint8Array(3) };
    circle.self = circle;
    assert.match(JSON.stringify(redact(circle)), /"bytes":"3 bytes".*"…"/);
    assert.equal((redact(Array(1000).fill(1)) as unknown[]).length, 100);
    fc.assert(
      fc.property(fc.anything(), value => typeof JSON.stringify({ value: redact(value) }) === 'string'),
      { numRuns: 200 },
    );
  });
});

test('objects that Kubernetes repeats in an error are masked, whatever their names', () => {
  for (const text of [
    `Object 'Kind' is missing in '{"data":{"admin":"${secret}"}}'`,
    `Secret in version "v1" cannot be handled: illegal base64 data, error found in #10 byte of ...|in":"${secret}"},"kind":"|..., bigger context ...|a|...`,
    `invalid: map[data:map[admin:${secret}]]`,
    `invalid: "{\\"data\\":{\\"admin\\":\\"${secret}\\"}}"`,
  ]) {
    const line = firstLines(new Error('installing', { cause: new Error(text) }));
    assert.ok(!line.includes(secret), line);
    assert.match(line, /^installing ← \w+.*\*\*\*/);
  }
});

test('of the rest of an error only keys are shown, and what names an object', () => {
  const manifest = `first
---
# Source: a/templates/secret.yaml
apiVersion: v1
kind: Secret
metadata:
  name: logins
  labels:
    name: hunter0
stringData:
  name: hunter1
  kind: hunter2
  list:
    - name: hunter3
      other: x
    - hunter4
      hunter5:
  block: |
    hunter6:

    hunter7: x
    name: hunter8
  quoted: "a
    hunter9:
    b"
  plain: one
    hunter10:
`;
  const shown = maskedRest(new Error(manifest));
  assert.doesNotMatch(shown, /hunter/);
  assert.match(shown, /kind: Secret\nmetadata:\n {2}name: logins\n/);
  assert.match(shown, /\n {4}- name: \*\*\*\n {6}other: \*\*\*\n/);
  assert.match(shown, /\n {2}block: \*\*\*\n/);
});

describe('maskPayload', () => {
  test('shows an install without anything secret', () => {
    const payload = {
      name: 'web',
      chart_url: 'https://reader:hunter2@charts.example.com/web.tgz',
      username: 'reader',
      password: 'hunter2',
      token: 'hunter2',
      ca_bundle: 'hunter2',
      client_certificate: 'hunter2',
      client_key: 'hunter2',
      values: { raw: 'db: {password: hunter2}' },
      values_json: { raw: 'x', db: { login: 'hunter2' } },
      set: ['db.password=hunter2'],
      set_string: ['db.password=hunter2'],
      chart_archive: 'hunter2',
      dry_run: true,
    };
    assert.deepEqual(maskPayload(payload), {
      name: 'web',
      chart_url: 'https://***@charts.example.com/web.tgz',
      username: '***',
      password: '***',
      token: '***',
      ca_bundle: '***',
      client_certificate: '***',
      client_key: '***',
      values: '*** (23 characters)',
      values_json: '***',
      set: '***',
      set_string: '***',
      chart_archive: '***',
      dry_run: true,
    });
  });

  test('shows a release without its manifest, notes and file contents', () => {
    const release = {
      name: 'web',
      manifest: 'kind: Secret hunter2',
      info: { status: { code: 'DEPLOYED', notes: 'hunter2', resources: 'hunter2' } },
      config: { raw: 'hunter2' },
      chart: {
        templates: [{ name: 'a.yaml', data: 'hunter2' }],
        files: [{ type_url: 'f', value: 'hunter2' }],
      },
    };
    const shown = JSON.stringify(maskPayload({ release }));
    assert.doesNotMatch(shown, /hunter2/);
    assert.match(shown, /"code":"DEPLOYED".*"name":"a\.yaml".*"type_url":"f"/);
  });

  test('shortens texts and lists, and stops at a bound', () => {
    assert.equal(maskPayload('x'.repeat(500)), `${'x'.repeat(200)}… (500 characters)`);
    assert.equal((maskPayload(Array(30).fill(1)) as unknown[]).at(-1), '… 10 more');
    const wide = Array(20).fill(Array(20).fill(Array(20).fill({ a: 'b' })));
    assert.ok(JSON.stringify(maskPayload(wide)).length < 20_000);
  });

  test('masks a secret that the cut would leave half of', () => {
    const texts = [
      `${'x'.repeat(180)} https://user:hunter2hunter2hunter2@host/`,
      `${'x '.repeat(85)}token=hunter2hunter2hunter2hunter2`,
    ];
    for (const text of texts) assert.doesNotMatch(String(maskPayload(text)), /hunter2/);
  });

  test('takes any JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue(), value => typeof JSON.stringify({ value: maskPayload(value) }) === 'string'),
      { numRuns: 200 },
    );
  });
});
