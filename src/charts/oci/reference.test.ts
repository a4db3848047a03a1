import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { cpuMsOf } from '../../../test/support/cpu-time.ts';
import { parseOciReference, showReference } from './reference.ts';
import { parseChallenges } from './registry-client.ts';

const digest = `sha256:${'a1'.repeat(32)}`;

describe('a reference', () => {
  const cases: [string, Partial<ReturnType<typeof parseOciReference>>, string?][] = [
    ['oci://ghcr.io/team/web', { host: 'ghcr.io', repository: 'team/web', range: '' }],
    [
      'OCI://GHCR.io/web:1.0.0',
      { host: 'ghcr.io', repository: 'web', tag: '1.0.0' },
      'oci://ghcr.io/web:1.0.0',
    ],
    [
      'oci://localhost:5000/web:1.0.0+b.1',
      { host: 'localhost:5000', tag: '1.0.0_b.1' },
      'oci://localhost:5000/web:1.0.0_b.1',
    ],
    ['oci://[::1]:5000/web', { host: '[::1]:5000', range: '' }],
    [`oci://a.example/b/c@${digest}`, { repository: 'b/c', digest, tag: undefined, range: undefined }],
    [`oci://a.example/b:1.0.0@${digest}`, { repository: 'b', digest, tag: '1.0.0' }],
    ['oci://a.example/b:^1.2', { range: '^1.2', tag: undefined }],
    ['oci://a.example/b:>=1.0, <2.0', { range: '>=1.0, <2.0' }],
    [
      'oci://docker.io/library/web:1',
      { host: 'registry-1.docker.io', tag: '1' },
      'oci://registry-1.docker.io/library/web:1',
    ],
  ];
  for (const [text, wanted, shown = text] of cases) {
    test(text, () => {
      const reference = parseOciReference(text);
      for (const [name, value] of Object.entries(wanted)) {
        assert.equal(reference[name as keyof typeof reference], value, name);
      }
      assert.equal(showReference(reference), shown);
    });
  }
});

describe('what is none', () => {
  const texts = [
    'oci://',
    'oci:///web',
    'oci://a.example',
    'oci://a.example/',
    'oci://a.example/Web',
    'oci://a.example/a//b',
    'oci://a.example/../b',
    'oci://a.example/a/%2e%2e/b',
    'oci://a.example/a?x=y',
    'oci://a.example/a#b',
    'oci://a.example/a:',
    'oci://a.example/a@sha256:12',
    `oci://a.example/a@sha512:${'a'.repeat(128)}`,
    `oci://a.example/a:^1@${digest}`,
    'oci://user:s3cret@a.example/b',
    'oci://a example/b',
    'oci://a.example:port/b',
    'oci://a.example\\@evil.example/b',
    `oci://a.example/${'a'.repeat(256)}`,
    `oci://a.example/a:${'1'.repeat(1100)}`,
  ];
  for (const text of texts) {
    test(text.slice(0, 60), () =>
      assert.throws(
        () => parseOciReference(text),
        (error: Error & { code: number }) => {
          assert.equal(error.code, 3);
          return !error.message.includes('s3cret');
        },
      ),
    );
  }
});

describe('a challenge', () => {
  const shown = (header: string) =>
    parseChallenges(header).map(({ scheme, parameters }) => [scheme, Object.fromEntries(parameters)]);
  const cases: [string, unknown][] = [
    [
      'Bearer realm="https://auth.example/token",service="a, b",scope="repository:x:pull,push"',
      [['bearer', { realm: 'https://auth.example/token', service: 'a, b', scope: 'repository:x:pull,push' }]],
    ],
    [
      'Basic realm="a", Bearer realm="b"',
      [
        ['basic', { realm: 'a' }],
        ['bearer', { realm: 'b' }],
      ],
    ],
    ['bearer Realm = b , Service=c', [['bearer', { realm: 'b', service: 'c' }]]],
    ['Bearer realm="a\\"b"', [['bearer', { realm: 'a"b' }]]],
    ['Bearer', [['bearer', {}]]],
    ['', []],
    [',,,', []],
    ['Bearer realm="open', [['bearer', {}]]],
    [`Bearer ${'a=b,'.repeat(4000)}`, []],
  ];
  for (const [header, wanted] of cases) {
    test(JSON.stringify(header).slice(0, 60), () => assert.deepEqual(shown(header), wanted));
  }
  test('is read in linear time, whatever it is', () => {
    const ms = cpuMsOf(() => {
      for (const part of ['a', ' ', ',', '"', '\\"', 'a=', 'a="', 'Bearer '])
        parseChallenges(part.repeat(8000 / part.length));
    });
    assert.ok(ms < 5_000);
  });
});
