import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { choosePod, chooseService, type Pod } from './discovery.ts';

function pod(
  name: string,
  more: { ready?: boolean; going?: boolean; created?: string; namespace?: string } = {},
): Pod {
  const { ready = true, going = false, created = '2020-01-01T00:00:00Z', namespace = 'kube-system' } = more;
  return {
    metadata: {
      name,
      namespace,
      creationTimestamp: created,
      ...(going && { deletionTimestamp: '2020-01-02T00:00:00Z' }),
    },
    status: { conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
  };
}

describe('choosePod', () => {
  const cases: [string, Pod[], string][] = [
    ['the ready one', [pod('a', { ready: false }), pod('b')], 'b'],
    ['one that is not about to go', [pod('a', { going: true }), pod('b')], 'b'],
    ['the youngest', [pod('a'), pod('b', { created: '2020-01-03T00:00:00Z' }), pod('c')], 'b'],
    [
      'the ready one, whatever other namespaces hold',
      [pod('a'), pod('b', { namespace: 'n', ready: false })],
      'a',
    ],
  ];
  for (const [what, pods, expected] of cases) {
    test(`takes ${what}`, () => assert.equal(choosePod(pods, 'here').metadata.name, expected));
  }

  test('refuses to choose between namespaces, and lists what is there', () => {
    assert.throws(() => choosePod([pod('b', { namespace: 'x' }), pod('a')], 'in any namespace'), {
      code: 14,
      message:
        'finding Tiller: several in any namespace: kube-system/a, x/b. Choose one with --tiller-namespace or other labels',
    });
  });

  test('tells which pods are not ready', () => {
    assert.throws(() => choosePod([pod('a', { ready: false })], 'here'), {
      message: 'finding Tiller: no ready pod here; not ready: kube-system/a',
    });
  });

  test('keeps the list short', () => {
    const many = Array.from({ length: 25 }, (_, i) =>
      pod(`p${String(i).padStart(2, '0')}`, { ready: false }),
    );
    assert.throws(() => choosePod(many, 'here'), { message: /kube-system\/p09 and 15 more$/ });
  });
});

test('chooseService takes the only one, or none', () => {
  const service = { metadata: { name: 's', namespace: 'n' } };
  assert.equal(chooseService([service], 'here'), service);
  assert.equal(chooseService([], 'here'), undefined);
  assert.throws(() => chooseService([service, service], 'here'), { code: 14 });
});
