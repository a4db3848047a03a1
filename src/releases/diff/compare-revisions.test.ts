import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { compareRevisions, type ObjectDiff } from './compare-revisions.ts';

function compare(
  before: string | undefined,
  after: string,
  more: { hooks?: string[]; showSecrets?: boolean } = {},
) {
  const { hooks = [], showSecrets = false } = more;
  return compareRevisions(
    before === undefined ? undefined : { manifest: before, hooks: [] },
    { manifest: after, hooks },
    { showSecrets, titles: ['one', 'two'] },
  );
}

const brief = ({ change, kind, namespace, name, hook }: ObjectDiff) =>
  `${change} ${kind} ${namespace}/${name}${hook ? ' hook' : ''}`;

const map = (name: string, data = 'a: b', kind = 'ConfigMap') =>
  `---\n# Source: x\napiVersion: v1\nkind: ${kind}\nmetadata: {name: ${name}}\ndata: {${data}}\n`;

describe('objects', () => {
  const cases: [title: string, before: string | undefined, after: string, expected: string[]][] = [
    ['nothing before', undefined, map('a'), ['ADDED ConfigMap /a']],
    ['nothing after', map('a'), '', ['REMOVED ConfigMap /a']],
    ['the same', map('a'), map('a'), ['UNCHANGED ConfigMap /a']],
    [
      'those that differ first, whatever their order',
      map('a') + map('b') + map('c'),
      map('c') + map('b', 'a: c') + map('d'),
      ['REMOVED ConfigMap /a', 'CHANGED ConfigMap /b', 'ADDED ConfigMap /d', 'UNCHANGED ConfigMap /c'],
    ],
    [
      'spelling and comments do not count',
      map('a'),
      '{"kind":"ConfigMap","apiVersion":"v1","data":{"a":"b"},"metadata":{"name":"a"}} # c',
      ['UNCHANGED ConfigMap /a'],
    ],
    ['another kind', map('a'), map('a', 'a: b', 'Other'), ['REMOVED ConfigMap /a', 'ADDED Other /a']],
    [
      'twice the same name',
      map('a') + map('a'),
      map('a'),
      ['REMOVED ConfigMap /a', 'UNCHANGED ConfigMap /a'],
    ],
    [
      'lists are taken apart',
      map('a'),
      'kind: List\nitems:\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {a: c}}\n- {kind: B}\n',
      ['CHANGED ConfigMap /a', 'ADDED B /'],
    ],
    ['an entry that cannot be read hides its list', '', 'kind: List\nitems: [{kind: A}, 5]', ['ADDED  /']],
    ['what cannot be read', 'a: [', 'a: [', ['UNCHANGED  /']],
    ['what cannot be read, changed', 'a: [', 'a: {', ['CHANGED  /']],
    ['comments alone', '# a\n\n---\n# b', '\n', []],
  ];
  for (const [title, before, after, expected] of cases)
    test(title, () => assert.deepEqual(compare(before, after).map(brief), expected));

  test('hooks are apart from objects', () => {
    assert.deepEqual(compare(map('a'), '', { hooks: [map('a')] }).map(brief), [
      'REMOVED ConfigMap /a',
      'ADDED ConfigMap /a hook',
    ]);
  });

  test('the text has keys in order, and counts its lines', () => {
    const [diff] = compare(map('a', 'b: 1, a: 2'), map('a', 'a: 3, b: 1'));
    assert.deepEqual([diff?.lines_added, diff?.lines_removed], [1, 1]);
    assert.equal(
      diff?.diff,
      `--- ConfigMap a\tone
+++ ConfigMap a\ttwo
@@ -1,6 +1,6 @@
 apiVersion: v1
 data:
-  a: 2
+  a: 3
   b: 1
 kind: ConfigMap
 metadata:
`,
    );
  });
});

describe('secrets', () => {
  const secret = (data: string) => map('s', data, 'Secret');
  const text = (before: string, after: string, showSecrets = false) =>
    compare(before, after, { showSecrets })[0]?.diff ?? '';
  const lines = (diff: string) => diff.split('\n').filter(line => /^[-+] /.test(line));

  test('a changed key is named, its value masked; the others are not', () => {
    assert.deepEqual(lines(text(secret('a: one, b: two, c: x'), secret('a: one, b: three, d: x'))), [
      "-  b: '*** (before)'",
      "-  c: '***'",
      "+  b: '*** (after)'",
      "+  d: '***'",
    ]);
  });

  test('the kind is said in any case, in a list, in a list of secrets', () => {
    for (const manifest of [
      (value: string) => `kind: secret\nmetadata: {name: s}\nDATA: {a: ${value}}`,
      (value: string) => `kind: X\nKind: Secret\nmetadata: {name: s}\ndata: {a: ${value}}`,
      (value: string) =>
        `kind: List\nitems: [{kind: Secret, metadata: {name: s}, stringData: {a: ${value}}}]`,
      (value: string) => `kind: SecretList\nitems: [{metadata: {name: s}, data: {a: ${value}}}]`,
      (value: string) =>
        `kind: Template\nobjects: [{kind: Secret, metadata: {name: s}, data: {a: ${value}}}]`,
      (value: string) => `kind: ConfigMap\ndata: {x: "kind: Secret\\ndata: {a: ${value}}"}`,
      (value: string) => `kind: Secret\ndata: ${value}`,
      (value: string) => `kind: Secret\ndata: {a: x}\nextra: [${value}]`,
    ]) {
      const diff = text(manifest('firstvalue'), manifest('othervalue'));
      assert.match(diff, /\*\*\* \(after\)/);
      assert.doesNotMatch(diff, /firstvalue|othervalue/);
    }
  });

  test('what only refers to a secret is shown', () => {
    const pod = (name: string) => `kind: Pod\nspec: {ref: {kind: Secret, name: ${name}}}`;
    assert.match(text(pod('a'), pod('b')), /-\s+name: a\n\+\s+name: b/);
  });

  test('the annotation with the last applied object is masked, labels and types are shown', () => {
    const of = (value: string, label: string) =>
      `kind: Secret\ntype: Opaque\nmetadata: {name: s, labels: {app: ${label}}, annotations: {kubectl.kubernetes.io/last-applied-configuration: '{"a":"${value}"}'}}`;
    const diff = text(of('firstvalue', 'web'), of('othervalue', 'api'));
    assert.deepEqual(
      lines(diff).map(line => line.replace(/\s+/g, ' ')),
      [
        "- kubectl.kubernetes.io/last-applied-configuration: '*** (before)'",
        "+ kubectl.kubernetes.io/last-applied-configuration: '*** (after)'",
        '- app: web',
        '+ app: api',
      ],
    );
  });

  test('with show-secrets everything is shown, also what cannot be read', () => {
    assert.match(text(secret('a: one'), secret('a: two'), true), /- {2}a: one\n\+ {2}a: two/);
    assert.match(text('a: [', 'a: {', true), /-a: \[/);
  });
});

/** Manifests with secrets in all manners of writing them; `§` stands for the value. */
const kinds = ['Secret', 'secret', '"Secret"', "'SECRET'", '!!str Secret', '&k Secret', ' Secret  # §'];
const names = ['data', 'stringData', 'Data', '"data"', 'STRINGDATA', 'data ', 'binaryData'];
const values = [
  '{a: §}',
  '{a: "§", b: [§, x]}',
  '\n  a: |\n    §\n    more\n',
  '\n  a: >-\n    §\n  # §\n',
  '{a: &x §, b: *x}',
  '{a: {b: {c: §}}}',
  '[§]',
  '§',
  '{? "a" : "x\\\n  §"}',
  '{"a": "pre§post"}',
];
const extras = [
  '',
  '# §\n',
  'metadata: {name: s, annotations: {kubectl.kubernetes.io/last-applied-configuration: "{\\"data\\":{\\"a\\":\\"§\\"}}"}}\n',
  'metadata:\n  name: s\n  managedFields: [{v: §}]\n',
  'status: §\n',
  'type: "{§}"\n',
];
const documents = fc
  .record({
    kind: fc.constantFrom(...kinds),
    name: fc.constantFrom(...names),
    value: fc.constantFrom(...values),
    extra: fc.constantFrom(...extras),
    wrap: fc.constantFrom('no', 'list', 'json', 'alias', 'secret list', 'embedded'),
  })
  .map(({ kind, name, value, extra, wrap }) => {
    const plain = `kind: ${kind}\n${extra}${name}: ${value}\n`;
    const indented = plain.replace(/\n(?=.)/g, '\n  ');
    if (wrap === 'list') return `apiVersion: v1\nkind: List\nitems:\n- ${indented}`;
    if (wrap === 'secret list') return `kind: SecretList\nitems:\n- ${indented}`;
    if (wrap === 'alias')
      return 'kind: List\nitems: [{kind: Secret, data: &d {a: §, b: &v §x}}, {kind: ConfigMap, metadata: {name: c}, data: *d, v: *v}]';
    if (wrap === 'json') return '{"kind":"Secret","data":{"a":"§"},"metadata":{"name":"j"}} # §';
    if (wrap === 'embedded')
      return `kind: ConfigMap\ndata:\n  file: |\n    ${plain.replace(/\n/g, '\n    ')}`;
    return plain;
  });
const damage = fc.record({
  at: fc.double({ min: 0.2, max: 1, noNaN: true }),
  text: fc.constantFrom('', '"', '[', '{', ': ', '\n', '\n---\n', '\n...\n', '\t', '|', '%', '\u2028', '---'),
});
const manifests = fc.array(documents, { minLength: 1, maxLength: 3 }).map(list => list.join('\n---\n'));

function damaged(manifest: string, { at, text }: { at: number; text: string }): string {
  // a text in a ConfigMap that is no manifest of a Secret any more is the ConfigMap's own
  if (manifest.includes('file: |')) return manifest;
  const place = Math.floor(manifest.length * at);
  return manifest.slice(0, place) + text + manifest.slice(place);
}

test('no value of a secret is in any comparison, nor anything that follows from it', () => {
  const [first, second, third] = ['S3cr3tPa55word', 'an0therValue==', 'x'.repeat(60)];
  const of = (manifest: string, value: string) => manifest.replaceAll('§', value);
  fc.assert(
    fc.property(manifests, manifests, damage, fc.boolean(), (before, after, harm, isSame) => {
      const young = damaged(isSame ? before : after, harm);
      const told = (one: string, other: string) => JSON.stringify(compare(of(before, one), of(young, other)));
      const shown = told(first, second);
      for (const value of [first, second, btoa(first), btoa(second)])
        assert.ok(!shown.includes(value), shown);
      assert.equal(told(second, first), shown);
      assert.equal(told(first, third), shown);
    }),
    { numRuns: Number(process.env.FUZZ_INPUTS ?? 150) },
  );
});

test('a revision of very many documents is refused', () => {
  assert.throws(() => compare('', 'a: [\n---\n'.repeat(10_001)), {
    code: 8,
    message: /more than 10000 documents/,
  });
});

test('texts that differ in every line are bounded, and said to have changed', () => {
  const long = (mark: string) =>
    map('a', 'a: b').replace(
      '{a: b}',
      `\n  text: |\n${`    ${mark}\n`.repeat(5).concat(Array.from({ length: 40_000 }, (_, index) => `    ${mark}${index}\n`).join(''))}`,
    );
  const startedAt = performance.now();
  const [diff] = compare(long('a'), long('b'));
  assert.deepEqual([diff?.change, diff?.diff_left_out, diff?.diff], ['CHANGED', true, undefined]);
  assert.ok(performance.now() - startedAt < 20_000);
});
