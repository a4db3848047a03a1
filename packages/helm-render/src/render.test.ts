import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { buildChart, renderChart, renderNotes } from '../test/support/build-chart.ts';
import { HelmRenderError } from './chart/helm-render-error.ts';
import { defaultRenderLimits } from './go/limits.ts';

const unknown = (message: string | RegExp) => (error: unknown) => {
  assert.ok(error instanceof HelmRenderError);
  if (typeof message === 'string') assert.equal(error.message, message);
  else assert.match(error.message, message);
  return true;
};

const inNotes = 'render error in "demo/templates/NOTES.txt": template: demo/templates/NOTES.txt';

describe('include, tpl and required', () => {
  const cases: [string, string][] = [
    ['{{ define "x" }}<{{ . }}>{{ end }}{{ include "x" 1 | upper }}', '<1>'],
    ['{{ include "helper" "a" | indent 2 }}', '  H:a'],
    [
      '{{ include "nope" . }}',
      `! ${inNotes}:1:3: executing "demo/templates/NOTES.txt" at <include "nope" .>: error calling include: template: no template "nope" associated with template "gotpl"`,
    ],
    [
      '{{ include "broken" . }}',
      `! ${inNotes}:1:3: executing "demo/templates/NOTES.txt" at <include "broken" .>: error calling include: template: demo/templates/_helpers.tpl:2:37: executing "broken" at <$.nope.deeper>: nil pointer evaluating interface {}.deeper`,
    ],
    ['{{ tpl "{{ .Release.Name }}" . }}', 'rel'],
    ['{{ tpl "{{ include \\"helper\\" 1 }}" . }}', 'H:1'],
    ['{{ tpl "{{ .x }}" (dict "x" 1 "Template" .Template) }}', '1'],
    ['{{ tpl "a{{ .nope }}b" . }}', 'ab'],
    [
      '{{ tpl "x" (dict) }}',
      `! ${inNotes}:1:3: executing "demo/templates/NOTES.txt" at <tpl "x" (dict)>: error calling tpl: Cannot retrieve Template.Basepath from values inside tpl function: x (BasePath is not a value)`,
    ],
    [
      '{{ tpl "x" (dict "Template" (dict "BasePath" "b")) }}',
      `! ${inNotes}:1:3: executing "demo/templates/NOTES.txt" at <tpl "x" (dict "Template" (dict "BasePath" "b"))>: error calling tpl: Cannot retrieve Template.Name from values inside tpl function: x (key not found: Name)`,
    ],
    [
      '{{ tpl "{{ nope }}" . }}',
      `! ${inNotes}:1:3: executing "demo/templates/NOTES.txt" at <tpl "{{ nope }}" .>: error calling tpl: Error during tpl function execution for "{{ nope }}": parse error in "demo/templates/NOTES.txt": template: demo/templates/NOTES.txt:1: function "nope" not defined`,
    ],
    [
      '{{ tpl 1 . }}',
      `! ${inNotes}:1:7: executing "demo/templates/NOTES.txt" at <1>: expected string; found 1`,
    ],
    [
      '{{ tpl "x" "y" }}',
      `! ${inNotes}:1:11: executing "demo/templates/NOTES.txt" at <"y">: can't handle "y" for arg of type chartutil.Values`,
    ],
    ['{{ required "need it" "given" }}', 'given'],
    ['{{ required "need it" 0 }}{{ required "x" false }}', '0false'],
    [
      '{{ required "need it" .Values.nope }}',
      `! ${inNotes}:1:3: executing "demo/templates/NOTES.txt" at <required "need it" .Values.nope>: error calling required: need it`,
    ],
    [
      '{{ .Values.nope | required "100%" }}',
      `! ${inNotes}:1:18: executing "demo/templates/NOTES.txt" at <required "100%">: error calling required: 100%!(NOVERB)`,
    ],
    ['{{ (include "yaml" . | fromYaml).a }}', '1'],
    ['{{ template "helper" 2 }}', 'H:2'],
    ['{{ include (print $.Template.BasePath "/config.yaml") . | trim }}', 'kind: ConfigMap'],
  ];
  const helpers =
    '{{ define "helper" }}H:{{ . }}{{ end }}\n{{ define "broken" }}{{ with 1 }}{{ $.nope.deeper }}{{ end }}{{ end }}{{ define "yaml" }}a: 1{{ end }}';
  for (const [notes, expected] of cases) {
    it(notes, () => {
      const templates = { '_helpers.tpl': helpers, 'config.yaml': 'kind: ConfigMap\n' };
      assert.equal(renderNotes(notes, { templates }), expected);
    });
  }
});

describe('subcharts', () => {
  const child = (extra: object = {}) =>
    buildChart({
      name: 'child',
      values: 'color: blue\nsize: 1\n',
      templates: {
        '_own.tpl': '{{ define "name" }}child{{ end }}',
        'c.yaml':
          'kind: ConfigMap\ncolor: {{ .Values.color }}\nname: {{ template "name" }}\nbase: {{ .Template.BasePath }}',
        'NOTES.txt': 'child notes',
      },
      ...extra,
    });

  it('see their own values only, with what the parent sets and the globals', () => {
    const templates = {
      'c.yaml':
        'kind: ConfigMap\nv: {{ toJson .Values }}\nchart: {{ .Chart.Name }}\nrelease: {{ .Release.Name }}',
    };
    const parent = buildChart({
      values: 'child: {size: 2}\nglobal: {g: 1}\nother: 1\n',
      dependencies: [child({ templates })],
    });
    const { manifest } = renderChart(parent, 'child: {color: red}');
    const values = '{"color":"red","global":{"g":1},"size":2}';
    assert.equal(
      manifest,
      `\n---\n# Source: demo/charts/child/templates/c.yaml\nkind: ConfigMap\nv: ${values}\nchart: child\nrelease: rel`,
    );
  });

  it('share one space of definitions, in which the parent wins', () => {
    const own = { '_own.tpl': '{{ define "name" }}parent{{ end }}' };
    const { manifest } = renderChart(buildChart({ templates: own, dependencies: [child()] }));
    assert.match(manifest, /^name: parent$/m);
    assert.match(manifest, /^base: demo\/charts\/child\/templates$/m);
    assert.match(renderChart(buildChart({ dependencies: [child()] })).manifest, /^name: child$/m);
  });

  it('are not overridden by an empty definition', () => {
    const own = { '_own.tpl': '{{ define "name" }} {{/* nothing */}} {{ end }}' };
    const { manifest } = renderChart(buildChart({ templates: own, dependencies: [child()] }));
    assert.match(manifest, /^name: child$/m);
  });

  it('give notes only when asked, before those of the chart itself', () => {
    const parent = buildChart({ templates: { 'NOTES.txt': 'own notes' }, dependencies: [child()] });
    assert.equal(renderChart(parent).notes, 'own notes');
    assert.equal(renderChart(parent, '{}', { subNotes: true }).notes, 'child notes\nown notes');
    assert.equal(renderChart(buildChart({ dependencies: [child()] })).notes, '');
    const silent = child({ templates: { 'NOTES.txt': '' } });
    const both = buildChart({ templates: { 'NOTES.txt': 'own' }, dependencies: [child(), silent] });
    assert.equal(renderChart(both, '{}', { subNotes: true }).notes, 'own');
  });

  it('cannot be given anything but a table', () => {
    const parent = buildChart({ dependencies: [child()] });
    assert.throws(() => renderChart(parent, 'child: 3'), unknown('type mismatch on child: %!t(float64=3)'));
    assert.throws(
      () => renderChart(parent, 'child: [a]'),
      unknown('type mismatch on child: [%!t(string=a)]'),
    );
  });
});

describe('order', () => {
  it('is deepest file first, then from Z to A', () => {
    const templates = {
      'a.yaml': '{{ fail "a" }}',
      'b.yaml': '{{ fail "b" }}',
      'x/c.yaml': '{{ fail "c" }}',
    };
    assert.throws(
      () => renderChart(buildChart({ templates })),
      unknown(/^render error in "demo\/templates\/x\/c.yaml"/),
    );
    const flat = { 'a.yaml': templates['a.yaml'], 'b.yaml': templates['b.yaml'] };
    assert.throws(
      () => renderChart(buildChart({ templates: flat })),
      unknown(/^render error in "demo\/templates\/b.yaml"/),
    );
  });

  it('lets later files see what earlier ones set', () => {
    const templates = {
      'b.yaml': 'kind: B\n{{ $_ := set . "seen" "yes" }}',
      'a.yaml': 'kind: A\nseen: {{ .seen }}',
    };
    assert.match(renderChart(buildChart({ templates })).manifest, /kind: A\nseen: yes/);
  });

  it('parses every file before any is rendered', () => {
    const templates = { 'a.yaml': '{{ nope }}', 'b.yaml': '{{ fail "b" }}' };
    const text =
      'parse error in "demo/templates/a.yaml": template: demo/templates/a.yaml:1: function "nope" not defined';
    assert.throws(() => renderChart(buildChart({ templates })), unknown(text));
  });
});

describe('faults outside templates', () => {
  it('are values that are no YAML or no table', () => {
    const chart = buildChart({ values: '[1]\n' });
    const problem =
      'error unmarshaling JSON: while decoding JSON: json: cannot unmarshal array into Go value of type chartutil.Values';
    assert.throws(
      () => renderChart(chart),
      unknown(`Error: Reading chart 'demo' default values ([1]\n): ${problem}`),
    );
    assert.throws(() => renderChart(buildChart({}), '"x"'), unknown(problem.replace('array', 'string')));
    assert.throws(
      () => renderChart(buildChart({}), 'a: ['),
      unknown(/^error converting YAML to JSON: yaml: line 1: /),
    );
  });

  it('are manifests that are no YAML, shown in the dry run of an install', () => {
    const chart = buildChart({ templates: { 'a.yaml': 'a: b: c\n', 'b.yaml': 'x: 1\n', 'c.yaml': ' \n' } });
    const problem =
      'YAML parse error on demo/templates/a.yaml: error converting YAML to JSON: yaml: mapping values are not allowed in this context';
    assert.throws(() => renderChart(chart), unknown(problem));
    const files =
      '\n---\n# Source: demo/templates/b.yaml\nx: 1\n\n---\n# Source: demo/templates/a.yaml\na: b: c\n';
    assert.throws(() => renderChart(chart, '{}', { dryRun: true }), unknown(`${problem}\n${files}`));
  });

  it('are charts for another Tiller or Kubernetes', () => {
    const tiller = buildChart({ metadata: { tillerVersion: '>=3.0.0' } });
    assert.throws(() => renderChart(tiller), unknown('Chart incompatible with Tiller v2.17.0'));
    const kubernetes = buildChart({ metadata: { kubeVersion: '>=1.19' } });
    const text = 'Chart requires kubernetesVersion: >=1.19 which is incompatible with Kubernetes v1.18.20';
    assert.throws(() => renderChart(kubernetes), unknown(text));
    const fitting = buildChart({ metadata: { kubeVersion: '>=1.10', tillerVersion: '>=2.9' } });
    assert.equal(renderChart(fitting).manifest, '');
  });

  it('are the bounds of work, output, depth and time', () => {
    const limited = (notes: string, limits: object) => () =>
      renderChart(buildChart({ templates: { 'NOTES.txt': notes } }), '{}', {
        limits: { ...defaultRenderLimits, ...limits },
      });
    const failed = 'rendering template failed: ';
    assert.throws(
      limited('{{ range until 1000 }}x{{ end }}', { maxWork: 1000 }),
      unknown(`${failed}rendering takes too much work`),
    );
    assert.throws(
      limited('{{ range until 1000 }}x{{ end }}', { maxOutputBytes: 100 }),
      unknown(`${failed}rendered text is over 100 bytes`),
    );
    assert.throws(
      limited('{{ define "r" }}{{ template "r" }}{{ end }}{{ template "r" }}', { maxDepth: 20 }),
      unknown(`${failed}templates are nested more than 20 deep`),
    );
    assert.throws(
      limited('{{ define "r" }}{{ include "r" . }}{{ end }}{{ include "r" . }}', { maxDepth: 1_000_000 }),
      unknown(`${failed}templates are nested too deep`),
    );
    assert.throws(
      limited('{{ range until 100000 }}{{ range until 100000 }}{{ end }}{{ end }}', { maxTimeMs: 1 }),
      unknown(`${failed}rendering takes too long`),
    );
  });
});

it('leaves out the chart’s own values where none at all were given, as Tiller does', () => {
  const chart = buildChart({ values: 'a: 1\n', templates: { 'NOTES.txt': '{{ .Values.a }}' } });
  assert.equal(renderChart(chart).notes, '1');
  assert.equal(renderChart(chart, '{}', { values: null } as object).notes, '');
});

it('takes <no value> out wherever it stands', () => {
  assert.equal(renderNotes('a{{ .nope }}b <no value>c'), 'ab c');
});

it('keeps bytes that are no text as they are', () => {
  const files = { 'blob.bin': new Uint8Array([0xff, 0x00, 0xfe]) };
  assert.equal(
    renderNotes('{{ .Files.Get "blob.bin" | b64enc }} {{ .Files.Get "blob.bin" | len }}', { files }),
    '/wD+ 3',
  );
});
