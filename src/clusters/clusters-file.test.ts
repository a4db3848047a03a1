import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { GatewayError } from '../protocol/index.ts';
import { parseClustersFile } from './clusters-file.ts';

const file = '/etc/hub/clusters.yaml';

function mistakesOf(text: string): string[] {
  try {
    parseClustersFile(text, file);
  } catch (error) {
    assert.ok(error instanceof GatewayError);
    assert.equal(error.code, 3);
    return error.message.split('\n');
  }
  return [];
}

describe('the clusters file', () => {
  test('gives every cluster, with paths made absolute', () => {
    const entries = parseClustersFile(
      `
clusters:
  - name: eu-1
    upstream: tunnel
    kubeconfig: eu.kubeconfig
    context: eu
    tillerNamespace: tiller-world
    tls:
      caFile: certs/ca.pem
      certFile: /abs/cert.pem
      keyFile: key.pem
  - name: us-1
    upstream: gateway
    service: kube-system/https:swift:https
  - name: lab
    upstream: direct
    endpoint: tls://tiller.lab:44134
  - name: arn:aws:eks:eu-west-1:123:cluster/found
`,
      file,
    );
    assert.deepEqual(entries, [
      {
        name: 'eu-1',
        upstream: 'tunnel',
        kubeconfig: { file: '/etc/hub/eu.kubeconfig' },
        context: 'eu',
        tillerNamespace: 'tiller-world',
        tls: {
          caFile: '/etc/hub/certs/ca.pem',
          certFile: '/abs/cert.pem',
          keyFile: '/etc/hub/key.pem',
        },
      },
      { name: 'us-1', upstream: 'gateway', service: 'kube-system/https:swift:https' },
      { name: 'lab', upstream: 'direct', endpoint: 'tls://tiller.lab:44134' },
      { name: 'arn:aws:eks:eu-west-1:123:cluster/found' },
    ]);
  });

  test('may list none', () => {
    assert.deepEqual(parseClustersFile('clusters: []', file), []);
  });

  const wrong: readonly [string, string, RegExp][] = [
    ['nothing', '', /:1: expected a mapping/],
    ['no list', 'clusters: 3', /:1: `clusters` is missing, or not a list/],
    ['a field beside it', 'clusters: []\nclusterz: []', /:2: unknown field "clusterz"/],
    ['no YAML', 'clusters: [', /:1: this is not YAML/],
    ['a key twice', 'clusters:\n- name: a\n  name: b', /:3: the field "name" is given twice/],
    ['no name', 'clusters:\n\n- upstream: tunnel', /:3: a cluster without a name/],
    ['a name twice', 'clusters:\n- name: a\n- name: a', /:3: a second cluster named a/],
    ['the name of all', 'clusters:\n- name: "-"', /:2: name: - stands for all clusters/],
    ['a bad name', 'clusters:\n- name: "a b"', /:2: name: "a b" is no name of a cluster/],
    ['a number as name', 'clusters:\n- name: 7', /:2: name: expected a text/],
    [
      'an unknown field',
      'clusters:\n- name: a\n  token: s3cret',
      /:3: unknown field "token": expected name, upstream/,
    ],
    [
      'an unknown upstream',
      'clusters:\n- name: a\n  upstream: bridge',
      /:3: upstream: expected tunnel, gateway, direct/,
    ],
    [
      'direct without endpoint',
      'clusters:\n- name: a\n  upstream: direct',
      /:2: the upstream direct needs an endpoint/,
    ],
    [
      'an endpoint with credentials',
      'clusters:\n- name: a\n  upstream: direct\n  endpoint: http://u:s3cret@h',
      /:4: endpoint: a Tiller endpoint cannot hold credentials/,
    ],
    [
      'an endpoint without direct',
      'clusters:\n- name: a\n  endpoint: h:1',
      /:2: endpoint has no use without the upstream direct/,
    ],
    [
      'a service for a tunnel',
      'clusters:\n- name: a\n  upstream: tunnel\n  service: a/b',
      /service has no use without the upstream gateway/,
    ],
    [
      'a service whose name leaves its place in the path',
      'clusters:\n- name: a\n  upstream: gateway\n  service: "../secrets/x"',
      /:4: service: expected NAMESPACE\/NAME/,
    ],
    ['half a pair', 'clusters:\n- name: a\n  tls: {certFile: c}', /:2: certFile and keyFile belong together/],
    ['tls that is no mapping', 'clusters:\n- name: a\n  tls: yes', /:3: expected tls as a mapping/],
    ['an alias', 'clusters:\n- &a {name: a}\n- *a', /:3: expected a cluster as a mapping/],
  ];
  for (const [what, text, expected] of wrong) {
    test(`refuses ${what}, and says where`, () => {
      const mistakes = mistakesOf(text);
      assert.equal(mistakes.length, 1, mistakes.join('\n'));
      assert.match(mistakes[0] ?? '', expected);
      assert.ok(mistakes[0]?.startsWith(`${file}:`));
      assert.ok(!mistakes[0]?.includes('s3cret'));
    });
  }

  test('tells every mistake at once', () => {
    const mistakes = mistakesOf('clusters:\n- upstream: up\n- name: "-"\n- name: a\n  x: 1');
    assert.deepEqual(
      mistakes.map(line => /:(\d+): /.exec(line)?.[1]),
      ['2', '3', '5'],
    );
  });

  test('has a bound on its clusters', () => {
    const text = `clusters:\n${Array.from({ length: 1001 }, (_, i) => `- name: c${i}\n`).join('')}`;
    assert.match(mistakesOf(text)[0] ?? '', /:2: more than 1000 clusters/);
  });

  test('never throws anything else, whatever is in it', () => {
    const piece = fc.constantFrom(
      'clusters:',
      '\n',
      '- ',
      'name: a',
      'upstream: ',
      'direct',
      '  ',
      '{',
      '}',
      '[',
      '&a ',
      '*a',
      'tls:',
      '"',
      '!!map',
      '\t',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 25 }), pieces => {
        const mistakes = mistakesOf(pieces.join(''));
        assert.ok(mistakes.every(line => line.startsWith(`${file}:`)));
      }),
      { numRuns: 500 },
    );
  });
});
