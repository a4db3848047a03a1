import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { buildChart, renderChart } from '../../test/support/build-chart.ts';
import { trimSpace } from '../functions/runes.ts';
import { compareForInstall } from './kind-order.ts';
import { splitManifests } from './split.ts';

describe('documents of a file', () => {
  const cases: [text: string, documents: string[]][] = [
    ['a: 1', ['a: 1']],
    ['a: 1\n---\nb: 2\n', ['a: 1', 'b: 2']],
    ['---\na: 1\n---\n---\nb: 2\n---\n', ['a: 1', '---\nb: 2']],
    ['\n\n---   \n\na: 1  \n  \n---\n  b: 2', ['a: 1', 'b: 2']],
    ['a: "x---y"\n', ['a: "x---y"']],
    ['a: |\n  ---\n  x', ['a: |\n  ---\n  x']],
    ['--- # comment\na: 1', ['# comment\na: 1']],
    ['# only a comment\n---\na: 1', ['# only a comment', 'a: 1']],
    ['', []],
    ['a\r\n---\r\nb\r\n', ['a', 'b']],
  ];
  for (const [text, documents] of cases) {
    it(JSON.stringify(text), () => assert.deepEqual(splitManifests(text), documents));
  }

  it('keep bytes that only look like white space', () => {
    assert.deepEqual(splitManifests('\xc3\xa0\n---\n\xc3\xa0'), ['\xc3\xa0', '\xc3\xa0']);
  });

  it('are trimmed of Unicode’s white space too', () => {
    assert.equal(trimSpace('\xc2\xa0\xc2\x85 \v\fa b\n'), 'a b');
  });
});

describe('order of installation', () => {
  it('goes by kind, then by file; unknown kinds come last by name', () => {
    const kinds = [
      'Zebra',
      'APIService',
      'Ingress',
      'Job',
      'Deployment',
      'Pod',
      'Service',
      'Role',
      'ClusterRole',
    ];
    const sorted = [...kinds, 'Secret', 'ConfigMap', 'Namespace', 'Apple', 'CustomResourceDefinition']
      .map(kind => ({ kind, path: 'p' }))
      .sort(compareForInstall)
      .map(({ kind }) => kind);
    const expected = [
      ...[
        'Namespace',
        'Secret',
        'ConfigMap',
        'CustomResourceDefinition',
        'ClusterRole',
        'Role',
        'Service',
        'Pod',
      ],
      ...['Deployment', 'Job', 'Ingress', 'APIService', 'Apple', 'Zebra'],
    ];
    assert.deepEqual(sorted, expected);
    const files = ['b', 'a'].map(path => ({ kind: 'Pod', path })).sort(compareForInstall);
    assert.deepEqual(
      files.map(({ path }) => path),
      ['a', 'b'],
    );
  });

  it('keeps the documents of one file and kind as they stand', () => {
    const documents = ['kind: Pod\nn: 2', 'kind: Pod\nn: 1', 'kind: Service'];
    const { manifest } = renderChart(buildChart({ templates: { 'a.yaml': documents.join('\n---\n') } }));
    const source = '\n---\n# Source: demo/templates/a.yaml\n';
    assert.equal(
      manifest,
      [documents[2], documents[0], documents[1]].map(document => source + document).join(''),
    );
  });
});

/** https://v2.helm.sh/docs/developing_charts/#hooks */
describe('hooks', () => {
  const hookOf = (annotations: string) => {
    const text = `kind: Job\nmetadata:\n  name: j\n  annotations: {${annotations}}\n`;
    const { hooks, manifest } = renderChart(buildChart({ templates: { 'j.yaml': text } }));
    return { hook: hooks[0], count: hooks.length, isResource: manifest !== '' };
  };

  it('carry name, kind, file and text', () => {
    const { hook, isResource } = hookOf('helm.sh/hook: pre-install');
    assert.deepEqual(hook, {
      name: 'j',
      kind: 'Job',
      path: 'demo/templates/j.yaml',
      manifest: 'kind: Job\nmetadata:\n  name: j\n  annotations: {helm.sh/hook: pre-install}',
      events: ['PRE_INSTALL'],
      last_run: null,
      weight: 0,
      delete_policies: [],
      delete_timeout: 0,
    });
    assert.equal(isResource, false);
  });

  it('have every event there is', () => {
    const names =
      'pre-install,post-install,pre-delete,post-delete,pre-upgrade,post-upgrade,pre-rollback,post-rollback,test-success,test-failure,crd-install';
    assert.deepEqual(hookOf(`helm.sh/hook: "${names}"`).hook?.events, [
      ...['PRE_INSTALL', 'POST_INSTALL', 'PRE_DELETE', 'POST_DELETE', 'PRE_UPGRADE', 'POST_UPGRADE'],
      ...['PRE_ROLLBACK', 'POST_ROLLBACK', 'RELEASE_TEST_SUCCESS', 'RELEASE_TEST_FAILURE', 'CRD_INSTALL'],
    ]);
  });

  const weights: [annotation: string, weight: number][] = [
    ['"5"', 5],
    ['"-5"', -5],
    ['"+5"', 5],
    ['5', 5],
    ['"x"', 0],
    ['"5.5"', 0],
    ['"99999999999999999999"', 0],
    ['"4294967297"', 1],
  ];
  for (const [annotation, weight] of weights) {
    it(`weigh ${weight} with ${annotation}`, () => {
      assert.equal(
        hookOf(`helm.sh/hook: pre-install, helm.sh/hook-weight: ${annotation}`).hook?.weight,
        weight,
      );
    });
  }

  it('are written in any case, with spaces', () => {
    assert.deepEqual(hookOf('helm.sh/hook: " Pre-Install , POST-INSTALL"').hook?.events, [
      'PRE_INSTALL',
      'POST_INSTALL',
    ]);
  });

  it('of an unknown event are neither hook nor resource', () => {
    assert.deepEqual(hookOf('helm.sh/hook: "pre-install,never"'), {
      hook: undefined,
      count: 0,
      isResource: false,
    });
    assert.deepEqual(hookOf('helm.sh/hook: ""'), { hook: undefined, count: 0, isResource: false });
  });

  it('have delete policies, and then a timeout', () => {
    const policies = (text: string) => {
      const { hook } = hookOf(`helm.sh/hook: pre-install, ${text}`);
      return [hook?.delete_policies, hook?.delete_timeout];
    };
    assert.deepEqual(
      policies('helm.sh/hook-delete-policy: "hook-succeeded, hook-failed,before-hook-creation"'),
      [['SUCCEEDED', 'FAILED', 'BEFORE_HOOK_CREATION'], 60],
    );
    const timed = 'helm.sh/hook-delete-policy: hook-succeeded, helm.sh/hook-delete-timeout';
    assert.deepEqual(policies(`${timed}: "7"`), [['SUCCEEDED'], 7]);
    assert.deepEqual(policies(`${timed}: soon`), [['SUCCEEDED'], 0]);
    assert.deepEqual(policies('helm.sh/hook-delete-policy: never'), [[], 0]);
    assert.deepEqual(policies('helm.sh/hook-delete-timeout: "7"'), [[], 0]);
  });

  it('are not what other annotations make', () => {
    assert.deepEqual(hookOf('other: pre-install'), { hook: undefined, count: 0, isResource: true });
  });
});

describe('manifests that are no resources', () => {
  const cases: [text: string, problem: string][] = [
    ['just text', 'json: cannot unmarshal string into Go value of type releaseutil.SimpleHead'],
    ['- a', 'json: cannot unmarshal array into Go value of type releaseutil.SimpleHead'],
    ['3', 'json: cannot unmarshal number into Go value of type releaseutil.SimpleHead'],
    ['true', 'json: cannot unmarshal bool into Go value of type releaseutil.SimpleHead'],
    ['Kind: [a]', 'json: cannot unmarshal array into Go struct field SimpleHead.kind of type string'],
    [
      'metadata: a\nkind: {}',
      'json: cannot unmarshal object into Go struct field SimpleHead.kind of type string',
    ],
    ['kind: [a]', 'json: cannot unmarshal array into Go struct field SimpleHead.kind of type string'],
    [
      'metadata: {name: {}}',
      'json: cannot unmarshal object into Go struct field .metadata.name of type string',
    ],
    [
      'metadata: {annotations: {a: []}}',
      'json: cannot unmarshal array into Go struct field .metadata.annotations of type string',
    ],
    [
      'metadata: {annotations: a}',
      'json: cannot unmarshal string into Go struct field .metadata.annotations of type map[string]string',
    ],
    [
      'metadata: a',
      'json: cannot unmarshal string into Go struct field SimpleHead.metadata of type struct { Name string "json:\\"name\\""; Annotations map[string]string "json:\\"annotations\\"" }',
    ],
  ];
  for (const [text, problem] of cases) {
    it(text, () => {
      const message = `YAML parse error on demo/templates/a.yaml: error unmarshaling JSON: while decoding JSON: ${problem}`;
      assert.throws(() => renderChart(buildChart({ templates: { 'a.yaml': text } })), { message });
    });
  }

  // encoding/json: https://pkg.go.dev/encoding/json#Unmarshal «preferring an exact match but also accepting a case-insensitive match»
  it('are found whatever the case of their keys', () => {
    const hook = 'KIND: Job\nMetadata:\n  Name: first\n  annotations: {helm.sh/hook: pre-install}\n';
    const { hooks } = renderChart(buildChart({ templates: { 'a.yaml': hook } }));
    assert.deepEqual([hooks[0]?.kind, hooks[0]?.name], ['Job', 'first']);
  });

  it('may lack anything, and have scalars for texts', () => {
    const text = 'kind: 3\nmetadata:\n  name: true\n  annotations: {a: 1, b: 1.5, c: null}\n';
    assert.match(renderChart(buildChart({ templates: { 'a.yaml': text } })).manifest, /kind: 3/);
    const empty = 'metadata: null\n---\n# nothing\n---\n{}';
    assert.match(renderChart(buildChart({ templates: { 'a.yaml': empty } })).manifest, /# nothing/);
  });
});
