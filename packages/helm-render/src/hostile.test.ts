import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { buildChart, renderChart } from '../test/support/build-chart.ts';
import { HelmRenderError } from './chart/helm-render-error.ts';
import type { RenderLimits } from './go/limits.ts';

/** Far below the defaults, so that each case ends at once; without bounds most would take hours, or all memory. */
const limits: RenderLimits = { maxWork: 300_000, maxOutputBytes: 1 << 20, maxDepth: 100, maxTimeMs: 20_000 };

const repeated = (text: string, count: number) => text.repeat(count);
const grown = (step: string) =>
  `{{ $x := "a" }}{{ range until 10000 }}{{ $x = ${step} }}{{ end }}{{ len $x }}`;
const shared = '{{ $x := dict }}{{ range until 60 }}{{ $x = dict "a" $x "b" $x }}{{ end }}';
const cyclic = '{{ $x := dict }}{{ $_ := set $x "x" $x }}';

/** Templates that would take a Tiller down. */
const stopped: Record<string, string> = {
  'a loop of loops': '{{ range until 100000 }}{{ range until 100000 }}{{ end }}{{ end }}',
  'a long list': '{{ until 1000000000 | len }}',
  'a long text': '{{ repeat 1000000000 "a" | len }}',
  'a text that doubles': grown('print $x $x'),
  'a text that doubles in printf': grown('printf "%s%s" $x $x'),
  'a text that grows by being quoted': grown('quote $x'),
  'a wide number': '{{ range until 1000 }}{{ printf "%1000000d" 1 | len }}{{ end }}',
  'a template that includes itself': '{{ define "r" }}{{ include "r" . }}{{ end }}{{ include "r" . }}',
  'a template that runs itself': '{{ define "r" }}{{ template "r" . }}{{ end }}{{ template "r" . }}',
  'a template that renders itself':
    '{{ define "r" }}{{ tpl "{{ include \\"r\\" . }}" . }}{{ end }}{{ include "r" . }}',
  'a map of itself, printed': `${cyclic}{{ $x }}`,
  'a map of itself, copied': `${cyclic}{{ deepCopy $x }}`,
  'a map of much the same, printed': `${shared}{{ $x }}`,
  'a map of much the same, copied': `${shared}{{ deepCopy $x | len }}`,
  'a map of much the same, as JSON': `${shared}{{ toJson $x | len }}`,
  'deep parentheses': `{{ ${repeated('(', 20_000)}1${repeated(')', 20_000)} }}`,
  'deep blocks': repeated('{{ if true }}', 20_000) + repeated('{{ end }}', 20_000),
  'a long chain of else': `{{ if false }}${repeated('{{ else if false }}', 20_000)}{{ end }}`,
  'a long constant': `{{ ${repeated('1', 100_000)}_ }}`,
  'a long file pattern': '{{ .Files.Glob (repeat 5000 "?") | len }}',
  'the same file again and again': '{{ range until 10000 }}{{ $.Files.Lines "big" | len }}{{ end }}',
  'a long list sorted again and again':
    '{{ $l := until 5000 }}{{ range until 10000 }}{{ $x := sortAlpha $l }}{{ end }}',
  'a large map listed again and again':
    '{{ $d := dict }}{{ range until 5000 }}{{ $_ := set $d (toString .) . }}{{ end }}{{ range until 10000 }}{{ $x := keys $d }}{{ $y := values $d }}{{ $z := omit $d "a" }}{{ end }}',
  'many keys': '{{ range until 10000 }}{{ genPrivateKey "rsa" }}{{ end }}',
};

describe('a hostile chart is stopped', () => {
  for (const [title, template] of Object.entries(stopped)) {
    it(title, () => {
      const chart = buildChart({
        templates: { 'NOTES.txt': template },
        files: { big: repeated('x\n', 10_000) },
      });
      assert.throws(
        () => renderChart(chart, '{}', { limits }),
        (error: unknown) =>
          error instanceof HelmRenderError &&
          /(rendering template failed|(parse|render) error)/.test(error.message),
      );
    });
  }

  it('a file of many documents', () => {
    const chart = buildChart({ templates: { 'many.yaml': repeated('---\na: b\n', 5_000) } });
    assert.throws(() => renderChart(chart, '{}', { limits }), /rendering takes too much work/);
  });

  it('a certificate with a long name', () => {
    const template = '{{ $x := genSelfSignedCert (repeat 1000000 "a") nil nil 1 }}';
    const chart = buildChart({ templates: { 'NOTES.txt': template } });
    // Enough for the name and for a certificate with a short one.
    const roomy = { ...limits, maxWork: 3_000_000 };
    assert.throws(() => renderChart(chart, '{}', { limits: roomy }), /rendering takes too much work/);
  });

  it('but not for what merely looks so', () => {
    const harmless = [
      '{{ regexMatch "(a+)+$" (repeat 20000 "a" | printf "%sb") }}',
      '{{ repeat 100000 " " | printf "a%sb" | trim | len }}',
      `${cyclic}{{ toYaml $x | len }}`,
    ];
    const chart = buildChart({ templates: { 'NOTES.txt': harmless.join(' ') } });
    assert.equal(
      renderChart(chart, '{}', { limits: { ...limits, maxWork: 2_000_000 } }).notes,
      'false 100002 0',
    );
  });
});
