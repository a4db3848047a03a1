import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HelmRenderError } from '../src/index.ts';
import { buildChart, renderChart } from './support/build-chart.ts';

/** What the official Tiller 2.17.0, which Go 1.14 built, answered to a chart `t` with this in line 5 of a template. */
const recorded: readonly (readonly [line: string, error: string])[] = [
  [
    '{{ if and .Values.x .Values.x.b }}  a: b{{ end }}',
    'render error in "t/templates/a.yaml": template: t/templates/a.yaml:5:27: executing "t/templates/a.yaml" at <.Values.x.b>: nil pointer evaluating interface {}.b',
  ],
  [
    '  a: {{ 12abc }}',
    'parse error in "t/templates/a.yaml": template: t/templates/a.yaml:5: unexpected bad number syntax: "12a" in command',
  ],
  [
    '{{ range list 1 2 3 }}{{ if eq . 2 }}{{ break }}{{ end }}  a{{ . }}: b\n{{ end }}',
    'parse error in "t/templates/a.yaml": template: t/templates/a.yaml:5: function "break" not defined',
  ],
  [
    '  a: "{{ eq (list 1) (list 1) }}"',
    'render error in "t/templates/a.yaml": template: t/templates/a.yaml:5:9: executing "t/templates/a.yaml" at <eq (list 1) (list 1)>: error calling eq: uncomparable type []interface {}: [1]',
  ],
  [
    '  a: "{{ eq .Values.x "a" }}"',
    'render error in "t/templates/a.yaml": template: t/templates/a.yaml:5:9: executing "t/templates/a.yaml" at <eq .Values.x "a">: error calling eq: incompatible types for comparison',
  ],
  [
    '  a: "{{ printf "%s"\n "x" }}"',
    'parse error in "t/templates/a.yaml": template: t/templates/a.yaml:5: unclosed action',
  ],
  [
    '  a: {{ "abc }}',
    'parse error in "t/templates/a.yaml": template: t/templates/a.yaml:5: unexpected unterminated quoted string in command',
  ],
  [
    '  a: {{ js "a=b&<>" | quote }} {{ html "\\x00" | quote }} {{ urlquery nil }}',
    `YAML parse error on t/templates/a.yaml: error converting YAML to JSON: yaml: line 4: did not find expected key

---
# Source: t/templates/a.yaml
apiVersion: v1
kind: ConfigMap
metadata: {name: a}
data:
  a: "a\\\\x3Db\\\\x26\\\\x3C\\\\x3E" "\uFFFD" %3Cno+value%3E
`,
  ],
  [
    '  a: {{ (1) and 2 }}',
    'render error in "t/templates/a.yaml": template: t/templates/a.yaml:5:8: executing "t/templates/a.yaml" at <(1) and 2>: can\'t give argument to non-function 1',
  ],
];

describe("text/template of Go 1.14, which built Tiller 2.17.0's official release", () => {
  for (const [line, expected] of recorded) {
    it(line, () => {
      const head = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n';
      const chart = buildChart({ name: 't', templates: { 'a.yaml': `${head}${line}\n` } });
      assert.throws(
        () => renderChart(chart, '{}', { dryRun: true }),
        error => {
          assert.ok(error instanceof HelmRenderError);
          assert.equal(error.message, expected);
          return true;
        },
      );
    });
  }
});
