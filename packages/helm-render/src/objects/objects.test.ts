import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type ChartParts, renderNotes } from '../../test/support/build-chart.ts';
import { createGlob } from './glob.ts';

/** https://v2.helm.sh/docs/chart_template_guide/#built-in-objects */
const parts: ChartParts = {
  values: 'a: {b: 1}\n',
  metadata: {
    description: 'say "hi" é\n',
    keywords: ['a', 'b'],
    sources: ['s'],
    maintainers: [
      { name: 'M', email: 'm@example.test', url: '' },
      { name: 'N', email: '', url: 'u' },
    ],
    annotations: { k2: 'v2', k1: 'v1' },
    deprecated: true,
    appVersion: '9',
  },
  files: {
    'config/a.conf': 'one\ntwo\n',
    'config/b.conf': 'b',
    'config/deep/c.conf': 'c',
    'bad.bin': new Uint8Array([1, 0xff]),
    'README.md': '# x',
  },
};

const where = 'render error in "demo/templates/NOTES.txt": template: demo/templates/NOTES.txt';

const cases: readonly (readonly [template: string, expected: string])[] = [
  [
    '{{ .Release.Name }} {{ .Release.Namespace }} {{ .Release.Service }} {{ .Release.Revision }}',
    'rel ns Tiller 1',
  ],
  ['{{ .Release.IsInstall }} {{ .Release.IsUpgrade }} {{ printf "%T" .Release.Revision }}', 'true false int'],
  ['{{ .Release.Time.Seconds }} {{ .Release.Time.Nanos }}', '1795168800 250000000'],
  ['{{ .Release.Time }}|{{ .Release.Time.GetSeconds }}', 'seconds:1795168800 nanos:250000000 |1795168800'],
  ['{{ .Release.Nope }}|{{ toYaml .Release.Time }}', '|nanos: 250000000\nseconds: 1795168800\n'],
  [
    '{{ .Chart.Name }} {{ .Chart.Version }} {{ .Chart.AppVersion }} {{ .Chart.ApiVersion }}',
    'demo 1.0.0 9 v1',
  ],
  ['{{ .Chart.Keywords }} {{ .Chart.Deprecated }} {{ .Chart.Annotations.k1 }}', '[a b] true v1'],
  ['{{ range .Chart.Maintainers }}{{ .Name }}<{{ .Email }}{{ .Url }}>{{ end }}', 'M<m@example.test>N<u>'],
  ['{{ (index .Chart.Maintainers 0).GetName }} {{ .Chart.GetVersion }}', 'M 1.0.0'],
  ['{{ .Chart.Maintainers }}', '[name:"M" email:"m@example.test"  name:"N" url:"u" ]'],
  [
    '{{ .Chart }}',
    'name:"demo" sources:"s" version:"1.0.0" description:"say \\"hi\\" \\303\\251\\n" keywords:"a" keywords:"b" ' +
      'maintainers:<name:"M" email:"m@example.test" > maintainers:<name:"N" url:"u" > apiVersion:"v1" ' +
      'appVersion:"9" deprecated:true annotations:<key:"k1" value:"v1" > annotations:<key:"k2" value:"v2" > ',
  ],
  ['{{ toJson .Chart.Maintainers }}', '[{"email":"m@example.test","name":"M"},{"name":"N","url":"u"}]'],
  [
    '{{ .Chart.name }}',
    `! ${where}:1:9: executing "demo/templates/NOTES.txt" at <.Chart.name>: can't evaluate field name in type interface {}`,
  ],
  ['{{ .Files.Get "config/b.conf" }}|{{ .Files.Get "nope" }}|', 'b||'],
  ['{{ .Files.GetBytes "config/b.conf" }} {{ printf "%T" (.Files.GetBytes "x") }}', '[98] []uint8'],
  ['{{ index .Files "config/b.conf" | toString }}', 'b'],
  ['{{ range $n, $_ := .Files.Glob "config/*" }}{{ $n }};{{ end }}', 'config/a.conf;config/b.conf;'],
  [
    '{{ range $n, $_ := .Files.Glob "**.conf" }}{{ $n }};{{ end }}',
    'config/a.conf;config/b.conf;config/deep/c.conf;',
  ],
  ['{{ len (.Files.Glob "nope/*") }} {{ len .Files }}', '0 5'],
  ['{{ (.Files.Glob "config/*").AsConfig }}', 'a.conf: |\n  one\n  two\nb.conf: b\n'],
  ['{{ (.Files.Glob "config/*").AsSecrets }}', 'a.conf: b25lCnR3bwo=\nb.conf: Yg==\n'],
  ['{{ (.Files.Glob "nope").AsConfig }}{{ (.Files.Glob "nope").AsSecrets }}', '{}\n{}\n'],
  ['{{ (.Files.Glob "bad.bin").AsConfig }}', 'bad.bin: "\\x01\uFFFD"\n'],
  ['{{ (.Files.Glob "bad.bin").AsSecrets }}', 'bad.bin: Af8=\n'],
  ['{{ range .Files.Lines "config/a.conf" }}<{{ . }}>{{ end }}', '<one><two><>'],
  ['{{ .Files.Lines "nope" }} {{ printf "%T" (.Files.Lines "x") }}', '[] []string'],
  [
    '{{ range $n, $c := .Files.Glob "*.md" }}{{ $n }}={{ $c | toString | b64enc }}{{ end }}',
    'README.md=IyB4',
  ],
  ['{{ .Capabilities.KubeVersion }} {{ .Capabilities.KubeVersion.Minor }}', 'v1.18.20 18'],
  [
    '{{ .Capabilities.KubeVersion.GitVersion }} {{ .Capabilities.KubeVersion.Platform }}',
    'v1.18.20 linux/amd64',
  ],
  [
    '{{ .Capabilities.TillerVersion.SemVer }} {{ .Capabilities.TillerVersion.GitTreeState }}',
    'v2.17.0 clean',
  ],
  [
    '{{ .Capabilities.APIVersions.Has "apps/v1" }} {{ .Capabilities.APIVersions.Has "apps/v1beta1" }}',
    'true false',
  ],
  [
    '{{ .Capabilities.APIVersions.Has "apps/v1/Deployment" }} {{ .Capabilities.APIVersions.Has "v1/Pod" }}',
    'true true',
  ],
  ['{{ "batch/v1beta1/CronJob" | .Capabilities.APIVersions.Has }}', 'true'],
  ['{{ if semverCompare ">=1.14-0" .Capabilities.KubeVersion.GitVersion }}new{{ end }}', 'new'],
  ['{{ .Values.AsMap.a.b }} {{ (.Values.Table "a").b }} {{ .Values.PathValue "a.b" }}', '1 1 1'],
  ['{{ .Values.YAML }}', 'a:\n  b: 1\n'],
  ['{{ .PathValue "Release.Name" }} {{ len .AsMap }}', 'rel 6'],
  [
    '{{ .Values.Table "a.x" }}',
    `! ${where}:1:10: executing "demo/templates/NOTES.txt" at <.Values.Table>: error calling Table: no table named "x" (map[b:1])`,
  ],
  [
    '{{ .Values.PathValue "a.x" }}',
    `! ${where}:1:10: executing "demo/templates/NOTES.txt" at <.Values.PathValue>: error calling PathValue: key not found: x`,
  ],
  ['{{ .Template.Name }} {{ .Template.BasePath }}', 'demo/templates/NOTES.txt demo/templates'],
  [
    '{{ printf "%T %T %T" . .Values .Capabilities }}',
    'chartutil.Values chartutil.Values *chartutil.Capabilities',
  ],
];

describe('built-in objects', () => {
  for (const [template, expected] of cases) {
    it(template, () => assert.equal(renderNotes(template, parts), expected));
  }
});

/** https://pkg.go.dev/github.com/gobwas/glob */
describe('file patterns', () => {
  const globs: [pattern: string, matching: string[], other: string[]][] = [
    ['*', ['a', 'a.b'], ['a/b']],
    ['**', ['a', 'a/b', ''], []],
    ['a/*', ['a/b', 'a/'], ['a/b/c', 'b/a']],
    ['a/**', ['a/b', 'a/b/c'], ['a', 'b/a']],
    ['**/c', ['a/c', 'a/b/c'], ['c']],
    ['?.txt', ['a.txt', 'é.txt'], ['ab.txt', '/.txt']],
    ['[ab].txt', ['a.txt', 'b.txt'], ['c.txt']],
    ['[a-c]x', ['ax', 'cx'], ['dx']],
    ['[!a-c]x', ['dx'], ['ax']],
    ['[!ab]x', ['cx'], ['ax']],
    ['{a,b*}.yaml', ['a.yaml', 'b.yaml', 'bc.yaml'], ['c.yaml']],
    ['a,b', ['a,b'], ['a']],
    ['\\*', ['*'], ['a']],
    ['a.b', ['a.b'], ['axb']],
    ['(a)+', ['(a)+'], ['a']],
    ['[', ['anything', 'a/b'], []],
    ['{a', ['anything'], []],
  ];
  for (const [pattern, matching, other] of globs) {
    it(pattern, () => {
      const matches = createGlob(pattern);
      assert.deepEqual(
        matching.filter(name => !matches(name)),
        [],
      );
      assert.deepEqual(other.filter(matches), []);
    });
  }
});
