import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import type { ChartOptions } from '../charts/index.ts';
import { parseHelmWrapperConfig, readHelmWrapperConfig, withHelmWrapper } from './helm-wrapper-config.ts';

const folder = mkdtempSync(join(tmpdir(), 'helm-wrapper-config-'));
after(() => rmSync(folder, { recursive: true }));
const ca = join(folder, 'ca.pem');
writeFileSync(ca, 'a certificate');

const parse = (text: string) => parseHelmWrapperConfig('f.yaml', text);
const none = {
  username: '',
  password: '',
  caBundle: undefined,
  clientCertificate: undefined,
  clientKey: undefined,
  insecureSkipVerify: false,
};

describe('the file', () => {
  test('every field, in any case', () => {
    const config = parse(`
uploadpath: /var/charts
helmRepos:
- {name: a, url: https://a.example}
- {name: b, url: https://b.example, username: me, password: secret, caFile: ${ca}, insecure_skip_tls_verify: true}
HelmRegistries:
- {name: c, url: oci://c.example:5000/charts, username: me, password: secret}
`);
    assert.deepEqual(config, {
      uploadPath: '/var/charts',
      repositories: [
        { name: 'a', url: 'https://a.example', credentials: none },
        {
          name: 'b',
          url: 'https://b.example',
          credentials: {
            ...none,
            username: 'me',
            password: 'secret',
            caBundle: Buffer.from('a certificate'),
            insecureSkipVerify: true,
          },
        },
      ],
      registries: [{ host: 'c.example:5000', credentials: { ...none, username: 'me', password: 'secret' } }],
      warnings: [],
    });
  });

  test('an empty one', () => {
    assert.deepEqual(parse(''), { uploadPath: undefined, repositories: [], registries: [], warnings: [] });
  });

  test('what is unknown, or has no effect, is warned of', () => {
    const { warnings } = parse('nope: 1\nhelmRepos: [{name: a, url: u, pass_credentials_all: true, x: 1}]');
    assert.deepEqual(warnings, [
      'f.yaml: helmRepos[0].pass_credentials_all: no effect: credentials go to the host of the repository alone',
      'f.yaml: helmRepos[0]: unknown field "x"',
      'f.yaml: unknown field "nope"',
    ]);
  });

  for (const [text, message] of [
    ['uploadPath: charts', 'f.yaml: uploadPath: charts upload path is not absolute'],
    ['uploadPath: [a]', 'f.yaml.uploadPath: expected a text'],
    ['- a', 'f.yaml: expected a map'],
    ['a: [', /^f\.yaml: error converting YAML to JSON: yaml: line 1/],
    ['helmRepos: {a: 1}', 'f.yaml: helmRepos: expected a list'],
    ['helmRepos: [a]', 'f.yaml: helmRepos[0]: expected a map'],
    [
      'helmRepos: [{name: a, insecure_skip_tls_verify: "no"}]',
      'f.yaml: helmRepos[0].insecure_skip_tls_verify: expected true or false',
    ],
    ['helmRepos: [{name: a, caFile: /nope}]', 'f.yaml: helmRepos[0].caFile: no such file'],
    ['helmRegistries: [{name: a, url: "https://a"}]', 'f.yaml: helmRegistries[0].url: expected oci://HOST'],
  ] as const) {
    test(text, () => assert.throws(() => parse(text), { code: 3, message }));
  }

  test('one that cannot be read', () => {
    assert.throws(() => readHelmWrapperConfig('/nope.yaml'), { message: '/nope.yaml: no such file' });
  });
});

describe('with the flags', () => {
  const options = {
    repositories: ['flag=https://f.example'],
    uploadDir: undefined,
  } as unknown as ChartOptions;
  const add = (text: string, given: Partial<ChartOptions> = {}, place = join(folder, 'charts')) => {
    const warnings: string[] = [];
    const all = withHelmWrapper(
      { ...options, ...given },
      parse(text),
      message => warnings.push(message),
      place,
    );
    return { all, warnings };
  };

  test('repositories come beside those of flags', () => {
    const { all } = add('uploadPath: /u\nhelmRepos: [{name: a, url: u}]');
    assert.deepEqual(all.repositories, [
      'flag=https://f.example',
      { name: 'a', url: 'u', credentials: none },
    ]);
    assert.equal(all.uploadDir, '/u');
  });

  test('a flag names the folder of uploads first', () => {
    const { all, warnings } = add('uploadPath: /u', { uploadDir: '/flag' });
    assert.equal(all.uploadDir, '/flag');
    assert.deepEqual(warnings, ['uploadPath: no effect: --chart-upload-dir is /flag']);
  });

  test('the folder that stands for none has to be this user’s alone', () => {
    const place = join(folder, 'charts');
    assert.equal(add('').all.uploadDir, place);
    chmodSync(place, 0o777);
    assert.equal(add('').all.uploadDir, undefined);
    mkdirSync(join(folder, 'real'));
    symlinkSync(join(folder, 'real'), join(folder, 'link'));
    const { all, warnings } = add('', {}, join(folder, 'link'));
    assert.equal(all.uploadDir, undefined);
    assert.match(warnings[0] ?? '', /is not this user's alone/);
  });
});
