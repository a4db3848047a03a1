import { type CaseTable, go, recorded } from './case-table.ts';

const helm = 'https://v2.helm.sh/docs/chart_template_guide/#template-functions-and-pipelines';
const json = (message: string) => `map[Error:${message}]`;

export const formatTables: readonly CaseTable[] = [
  {
    source: helm,
    cases: [
      ['{{ toYaml (dict "b" 1 "a" (list 1 "x")) }}', 'a:\n- 1\n- x\nb: 1\n'],
      ['{{ toYaml "x" }}', 'x\n'],
      ['{{ toYaml nil }}{{ toYaml true }}{{ toYaml 1 }}{{ toYaml 1.5 }}', 'null\ntrue\n1\n1.5\n'],
      ['{{ toYaml (list) }}{{ toYaml (dict) }}', '[]\n{}\n'],
      ['{{ toYaml (dict "a" (dict) "b" (list)) }}', 'a: {}\nb: []\n'],
      ['{{ toYaml (list (list 1 2) (dict "a" 1)) }}', '- - 1\n  - 2\n- a: 1\n'],
      ['{{ toYaml (dict "a" "x: y" "b" "- z" "c" "#") }}', "a: 'x: y'\nb: '- z'\nc: '#'\n"],
      [
        '{{ toYaml (dict "a" "yes" "b" "null" "c" "1" "d" "1.0" "e" "0x1") }}',
        'a: "yes"\nb: "null"\nc: "1"\nd: "1.0"\ne: "0x1"\n',
      ],
      [
        '{{ toYaml (dict "a" "l1\\nl2" "b" "l1\\n" "c" "\\n" "d" "l1\\n\\n") }}',
        'a: |-\n  l1\n  l2\nb: |\n  l1\nc: |2+\n\nd: |+\n  l1\n\n',
      ],
      ['{{ toYaml (dict "a" " x\\ny") }}', 'a: |2-\n   x\n  y\n'],
      ['{{ toYaml (dict "a" "x \\ny") }}', 'a: "x \\ny"\n'],
      ['{{ toYaml (dict "a" "tab\\there") }}', 'a: "tab\\there"\n'],
      ['{{ toYaml (dict "a" "é" "b" "😀" "c" "\u00a0") }}', 'a: é\nb: "\\U0001F600"\nc: \u00a0\n'],
      [
        '{{ toYaml (dict "a" "it\'s" "b" "\'q\'" "c" "say \\"x\\"") }}',
        "a: it's\nb: '''q'''\nc: say \"x\"\n",
      ],
      [
        '{{ toYaml (dict "a" 1e21 "b" 1e20 "c" 1234567.5 "d" 0.00001 "e" -0.5) }}',
        'a: 1e+21\nb: 1e+20\nc: 1.2345675e+06\nd: 1e-05\ne: -0.5\n',
      ],
      ['{{ toYaml (int64 5) }}{{ toYaml (add 1 2) }}', '5\n3\n'],
      ['{{ toYaml (until 2) }}{{ toYaml (splitList "," "a,b") }}', '- 0\n- 1\n- a\n- b\n'],
      ['{{ toYaml (split "," "a,b") }}', '_0: a\n_1: b\n'],
      ['{{ toYaml (dict "a10" 1 "a9" 2 "a" 3 "10" 4 "9" 5) }}', '"9": 5\n"10": 4\na: 3\na9: 2\na10: 1\n'],
      ['{{ toYaml (dict "x y" 1 "a:" 2 "" 3 "- b" 4) }}', "\"\": 3\n'- b': 4\n'a:': 2\nx y: 1\n"],
      ['{{ toYaml (dict "a" (float64 "NaN")) }}|', '|'],
      ['{{ toYaml (dict "t" (toDate "2006-01-02" "2020-02-29")) }}', 't: "2020-02-29T00:00:00Z"\n'],
      ['{{ toYaml (semver "1.2.3") }}', '1.2.3\n'],
      ['{{ toYaml (dict "k" (b64dec "/w==")) }}', 'k: \ufffd\n'],
      ['{{ fromYaml "a: 1\\nb: [x, {c: yes}]" }}', 'map[a:1 b:[x map[c:true]]]'],
      ['{{ fromYaml "" | toJson }} {{ fromJson "null" | toJson }}', '{} null'],
      ['{{ fromYaml "" }}', 'map[]'],
      ['{{ set (fromJson "null") "a" 1 }}', { error: 'error calling set: assignment to entry in nil map' }],
      ['{{ fromYaml "1: a\\ntrue: b\\n1.5: c" }}', 'map[1:a 1.5:c true:b]'],
      [
        '{{ fromYaml "a: 0o17\\nb: 0x1F\\nc: 1_000\\nd: 1e3\\ne: .5" }}',
        'map[a:15 b:31 c:1000 d:1000 e:0.5]',
      ],
      ['{{ fromYaml "a: &x {b: 1}\\nc: {<<: *x, d: 2}" }}', 'map[a:map[b:1] c:map[b:1 d:2]]'],
      ['{{ (fromYaml "a: 12345678901234567890").a | printf "%.0f" }}', '12345678901234567168'],
      [
        '{{ fromYaml "- a" }}',
        json(
          'error unmarshaling JSON: while decoding JSON: json: cannot unmarshal array into Go value of type map[string]interface {}',
        ),
      ],
      [
        '{{ fromYaml "just text" }}',
        json(
          'error unmarshaling JSON: while decoding JSON: json: cannot unmarshal string into Go value of type map[string]interface {}',
        ),
      ],
      [
        '{{ fromYaml "a: b: c" }}',
        json('error converting YAML to JSON: yaml: mapping values are not allowed in this context'),
      ],
      [
        '{{ fromYaml "a: {{ b }}" }}',
        json(
          'error converting YAML to JSON: yaml: invalid map key: map[interface {}]interface {}{"b":interface {}(nil)}',
        ),
      ],
      ['{{ toYaml (fromYaml "a: {b: [1, two]}") }}', 'a:\n  b:\n  - 1\n  - two\n'],
      ['{{ toJson (dict "b" 1 "a" (list 1 "x" nil true)) }}', '{"a":[1,"x",null,true],"b":1}'],
      [
        '{{ toJson "<a href=\\"x\\">&\\u2028</a>" }}',
        '"\\u003ca href=\\"x\\"\\u003e\\u0026\\u2028\\u003c/a\\u003e"',
      ],
      ['{{ toJson "\\x01\\t\\n\\r\\x7f" }}', '"\\u0001\\t\\n\\r\x7f"'],
      [
        '{{ toJson 1e21 }} {{ toJson 1e20 }} {{ toJson 1e-7 }} {{ toJson 0.000001 }}',
        '1e+21 100000000000000000000 1e-7 0.000001',
      ],
      ['{{ toJson (float64 "inf") }}|', '|'],
      [
        '{{ toJson (until 2) }} {{ toJson (int64 7) }} {{ toJson (list) }} {{ toJson (dict) }}',
        '[0,1] 7 [] {}',
      ],
      ['{{ toJson now }}', '"2026-11-20T10:00:00Z"'],
      ['{{ toJson (semver "1.2.3-a+b") }}', '"1.2.3-a+b"'],
      [
        '{{ toPrettyJson (dict "a" (list 1 2) "b" (dict) "c" (list)) }}',
        '{\n  "a": [\n    1,\n    2\n  ],\n  "b": {},\n  "c": []\n}',
      ],
      ['{{ toPrettyJson "x" }}', '"x"'],
      [
        '{{ fromJson "{\\"a\\": {\\"b\\": [1, 2.5, \\"x\\", null, true]}}" }}',
        'map[a:map[b:[1 2.5 x <nil> true]]]',
      ],
      ['{{ fromJson "{\\"a\\": \\"\\\\u00e9\\\\n\\\\/\\"}" }}', 'map[a:é\n/]'],
      ['{{ fromJson "{\\"a\\": 1, \\"a\\": 2}" }}', 'map[a:2]'],
      ['{{ fromJson "null" }}', 'map[]'],
      ['{{ fromJson " { } " }}', 'map[]'],
      ['{{ (fromJson "{\\"n\\": 3}").n | typeOf }}', 'float64'],
    ],
  },
  {
    source: go('encoding/json#Unmarshal'),
    cases: [
      ['{{ fromJson "" }}', json('unexpected end of JSON input')],
      ['{{ fromJson "{" }}', json('unexpected end of JSON input')],
      [
        '{{ fromJson "{\\"a\\":1,}" }}',
        json("invalid character '}' looking for beginning of object key string"),
      ],
      ['{{ fromJson "{\\"a\\" 1}" }}', json("invalid character '1' after object key")],
      ['{{ fromJson "{\\"a\\":1 \\"b\\":2}" }}', json("invalid character '\"' after object key:value pair")],
      ['{{ fromJson "{\\"a\\":[1 2]}" }}', json("invalid character '2' after array element")],
      ['{{ fromJson "{\\"a\\":nul}" }}', json("invalid character '}' in literal null (expecting 'l')")],
      ['{{ fromJson "{\\"a\\":tru3}" }}', json("invalid character '3' in literal true (expecting 'e')")],
      ['{{ fromJson "{\\"a\\":-}" }}', json("invalid character '}' in numeric literal")],
      ['{{ fromJson "{\\"a\\":1.}" }}', json("invalid character '}' after decimal point in numeric literal")],
      ['{{ fromJson "{\\"a\\":1e}" }}', json("invalid character '}' in exponent of numeric literal")],
      ['{{ fromJson "{\\"a\\":01}" }}', json("invalid character '1' after object key:value pair")],
      ['{{ fromJson "{\\"a\\":\\"\\\\x\\"}" }}', json("invalid character 'x' in string escape code")],
      [
        '{{ fromJson "{\\"a\\":\\"\\\\u12g4\\"}" }}',
        json("invalid character 'g' in \\u hexadecimal character escape"),
      ],
      ['{{ fromJson "{\\"a\\":\\"\\n\\"}" }}', json("invalid character '\\n' in string literal")],
      ['{{ fromJson "{} x" }}', json("invalid character 'x' after top-level value")],
      ['{{ fromJson "\'x\'" }}', json("invalid character '\\'' looking for beginning of value")],
      [
        '{{ fromJson "\\"text\\"" }}',
        json('json: cannot unmarshal string into Go value of type map[string]interface {}'),
      ],
      [
        '{{ fromJson "5" }}',
        json('json: cannot unmarshal number into Go value of type map[string]interface {}'),
      ],
      [
        '{{ fromJson "true" }}',
        json('json: cannot unmarshal bool into Go value of type map[string]interface {}'),
      ],
    ],
  },
  {
    source: go('github.com/BurntSushi/toml#Encoder.Encode'),
    cases: [
      ['{{ toToml (dict "a" 1 "b" "x" "c" (dict "d" true)) }}', 'a = 1\nb = "x"\n\n[c]\n  d = true\n'],
      [
        '{{ toToml (dict "f" 1.5 "g" 2.0 "l" (list 1 2) "e" (list)) }}',
        'e = []\nf = 1.5\ng = 2.0\nl = [1, 2]\n',
      ],
      ['{{ toToml (dict "t" (dict "u" (dict "v" "q\\"\\n"))) }}', '[t]\n  [t.u]\n    v = "q\\"\\n"\n'],
      ['{{ toToml (dict "a b" 1 "c.d" (dict "x" 1)) }}', '"a b" = 1\n\n["c.d"]\n  x = 1\n'],
      ['{{ toToml (dict "a" (list (dict "n" 1) (dict "n" 2))) }}', '[[a]]\n  n = 1\n\n[[a]]\n  n = 2\n'],
      ['{{ toToml (dict "n" nil "a" 1) }}', 'a = 1\n'],
      ['{{ toToml (dict) }}|', '|'],
      ['{{ toToml (dict "l" (list (list 1) (list "a"))) }}', 'l = [[1], ["a"]]\n'],
      ['{{ toToml (dict "l" (list 1 "a")) }}', 'toml: cannot encode array with mixed element types'],
      ['{{ toToml (dict "l" (list 1 nil)) }}', 'toml: cannot encode array with nil element'],
      ['{{ toToml "x" }}', 'toml: top-level values must be Go maps or structs'],
    ],
  },
  {
    source: recorded,
    cases: [
      ['{{ fromJson "bad" }}', json("invalid character 'b' looking for beginning of value")],
      [
        '{{ fromYaml "a: [" }}',
        json('error converting YAML to JSON: yaml: line 1: did not find expected node content'),
      ],
    ],
  },
];
