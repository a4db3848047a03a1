import { type Case, runCases } from '../../test/support/case-table.ts';

const doc = 'https://pkg.go.dev/text/template#hdr-Functions';
const source = 'https://github.com/golang/go/blob/go1.14/src/text/template/funcs.go';
const at = (column: number, node: string) => `! 1:${column}: executing "t" at <${node}>: `;

const logic: Case[] = [
  ['{{and true 0}} {{and 1 2}} {{and 0 1}} {{and 1 "" 2}}', '0 2 0 '],
  ['{{or 0 1}} {{or 1 2}} {{or 0 ""}} {{or .nil "x"}}', '1 1  x'],
  ['{{and 1}} {{or 0}}', '1 0'],
  [
    '{{not true}} {{not false}} {{not 0}} {{not ""}} {{not .nil}} {{not .list}}',
    'false true true true true false',
  ],
  ['{{and .missing .missing.x}}', `${at(23, '.missing.x')}nil pointer evaluating interface {}.x`],
  ['{{or .str .missing.x}}', `${at(18, '.missing.x')}nil pointer evaluating interface {}.x`],
  ['{{or 1 (fail "x")}} {{and 0 (fail "x")}}', `${at(8, 'fail "x"')}error calling fail: x`],
  ['{{and .nil "x"}} {{and "x" .nil}} {{or .nil .nil}}', '<no value> <no value> <no value>'],
  ['{{or .nil .missing "x" "y"}}', 'x'],
  ['{{and .str .missing.x}}', `${at(19, '.missing.x')}nil pointer evaluating interface {}.x`],
  ['{{or .empty .missing.x}}', `${at(20, '.missing.x')}nil pointer evaluating interface {}.x`],
  ['{{1 | and 2}} {{0 | or 0}} {{3 | or 0}}', '1 0 3'],
  ['{{1 | and 0}}', '0'],
  ['{{and}}', `${at(2, 'and')}wrong number of args for and: want at least 1 got 0`],
  ['{{not}}', `${at(2, 'not')}wrong number of args for not: want 1 got 0`],
  ['{{not 1 2}}', `${at(2, 'not')}wrong number of args for not: want 1 got 2`],
  ['{{and nil}}', '<no value>'],
];
runCases('and, or, not', doc, logic);

const comparisons: Case[] = [
  ['{{eq 1 1}} {{eq 1 2}} {{eq "a" "a"}} {{eq "a" "b"}} {{eq true true}}', 'true false true false true'],
  ['{{eq 1.5 1.5}} {{eq 1i 1i}} {{eq .int 7}} {{eq .num 42.0}}', 'true true true true'],
  ['{{eq 1 2 3 1}} {{eq 1 2 3}}', 'true false'],
  ['{{eq .int .long}} {{eq .long 8}} {{eq 200 .byte}} {{eq .byte 200}}', 'false true true true'],
  ['{{eq nil nil}} {{eq .nil nil}} {{eq nil .nil}} {{eq .missing .nil}}', 'true true true true'],
  ['{{eq .nil 1}}', `${at(2, 'eq .nil 1')}error calling eq: incompatible types for comparison`],
  ['{{eq 1 .nil}}', `${at(2, 'eq 1 .nil')}error calling eq: incompatible types for comparison`],
  ['{{eq "" .missing}}', `${at(2, 'eq "" .missing')}error calling eq: incompatible types for comparison`],
  ['{{ne .missing "a"}}', `${at(2, 'ne .missing "a"')}error calling ne: incompatible types for comparison`],
  [
    '{{eq .nil .list}}',
    `${at(2, 'eq .nil .list')}error calling eq: uncomparable type []interface {}: [3 1 2]`,
  ],
  ['{{eq .box nil}} {{eq .box .nil}} {{ne nil nil}}', 'false false false'],
  [
    '{{eq nil .box}}',
    `${at(2, 'eq nil .box')}error calling eq: reflect: call of reflect.Value.Interface on zero Value`,
  ],
  ['{{eq .box .box}}', 'true'],
  ['{{eq .num 42}}', `${at(2, 'eq .num 42')}error calling eq: incompatible types for comparison`],
  ['{{eq "1" 1}}', `${at(2, 'eq "1" 1')}error calling eq: incompatible types for comparison`],
  ['{{eq true 1}}', `${at(2, 'eq true 1')}error calling eq: incompatible types for comparison`],
  ['{{eq 1 1 "x"}}', 'true'],
  ['{{eq 1 "x" 1}}', `${at(2, 'eq 1 "x" 1')}error calling eq: incompatible types for comparison`],
  ['{{eq 1}}', `${at(2, 'eq 1')}error calling eq: missing argument for comparison`],
  ['{{eq}}', `${at(2, 'eq')}wrong number of args for eq: want at least 1 got 0`],
  [
    '{{eq .list .list}}',
    `${at(2, 'eq .list .list')}error calling eq: uncomparable type []interface {}: [3 1 2]`,
  ],
  [
    '{{eq .emap 1}}',
    `${at(2, 'eq .emap 1')}error calling eq: uncomparable type map[string]interface {}: map[]`,
  ],
  ['{{eq .bytes nil}}', `${at(2, 'eq .bytes nil')}error calling eq: uncomparable type []uint8: [72 105]`],
  [
    '{{eq .words .map}}',
    `${at(2, 'eq .words .map')}error calling eq: uncomparable type []interface {}: [b a c]`,
  ],
  [
    '{{ne .emap nil}}',
    `${at(2, 'ne .emap nil')}error calling ne: uncomparable type map[string]interface {}: map[]`,
  ],
  ['{{eq .none}}', `${at(2, 'eq .none')}error calling eq: uncomparable type []interface {}: []`],
  ['{{eq 1 .list}}', `${at(2, 'eq 1 .list')}error calling eq: incompatible types for comparison`],
  ['{{ne 1 2}} {{ne 1 1}} {{ne .nil nil}} {{ne "a" "b"}}', 'true false false true'],
  ['{{ne 1 "1"}}', `${at(2, 'ne 1 "1"')}error calling ne: incompatible types for comparison`],
  ['{{ne 1}}', `${at(2, 'ne')}wrong number of args for ne: want 2 got 1`],
  ['{{lt 1 2}} {{lt 2 2}} {{lt 3 2}} {{lt 1.5 2.5}} {{lt "a" "b"}}', 'true false false true true'],
  ['{{le 1 2}} {{le 2 2}} {{le 3 2}}', 'true true false'],
  ['{{gt 1 2}} {{gt 2 2}} {{gt 3 2}}', 'false false true'],
  ['{{ge 1 2}} {{ge 2 2}} {{ge 3 2}}', 'false true true'],
  [
    '{{lt .byte 201}} {{lt 199 .byte}} {{lt -1 .byte}} {{lt .byte -1}} {{gt .long 7}}',
    'true true true false true',
  ],
  ['{{lt "Z" "a"}} {{lt "a" "aa"}} {{lt "é" "z"}}', 'true true false'],
  ['{{lt true false}}', `${at(2, 'lt true false')}error calling lt: invalid type for comparison`],
  ['{{lt 1 1.0}}', `${at(2, 'lt 1 1.0')}error calling lt: incompatible types for comparison`],
  ['{{lt .num 50}}', `${at(2, 'lt .num 50')}error calling lt: incompatible types for comparison`],
  ['{{lt .nil 1}}', `${at(2, 'lt .nil 1')}error calling lt: invalid type for comparison`],
  ['{{gt .list 1}}', `${at(2, 'gt .list 1')}error calling gt: invalid type for comparison`],
  ['{{lt 1i 2i}}', `${at(2, 'lt 1i 2i')}error calling lt: invalid type for comparison`],
  ['{{3 | lt 2}} {{2 | gt 3}}', 'true true'],
];
runCases('Comparisons', doc, comparisons);

const indexing: Case[] = [
  ['{{index .list 0}} {{index .list 2}} {{index .words 1}}', '3 2 a'],
  ['{{index .map "a"}} {{index .deep "x" "y" "z"}}', '1 end'],
  ['{{index .rows 1 "n"}}', 'two'],
  ['{{index .list}}', '[3 1 2]'],
  ['{{index .map "zz"}}', '<no value>'],
  ['{{index .smap "zz"}}|', '|'],
  ['{{index .str 0}} {{index .bytes 1}}', '72 105'],
  ['{{index .list .izero}} {{index .strs 1}}', '3 y'],
  ['{{index .list 3}}', `${at(2, 'index .list 3')}error calling index: reflect: slice index out of range`],
  ['{{index .list 4}}', `${at(2, 'index .list 4')}error calling index: index out of range: 4`],
  ['{{index .list -1}}', `${at(2, 'index .list -1')}error calling index: index out of range: -1`],
  ['{{index .str 5}}', `${at(2, 'index .str 5')}error calling index: reflect: string index out of range`],
  [
    '{{index .list "0"}}',
    `${at(2, 'index .list "0"')}error calling index: cannot index slice/array with type string`,
  ],
  [
    '{{index .list .num}}',
    `${at(2, 'index .list .num')}error calling index: cannot index slice/array with type float64`,
  ],
  [
    '{{index .list nil}}',
    `${at(2, 'index .list nil')}error calling index: cannot index slice/array with nil`,
  ],
  ['{{index .map 1}}', `${at(2, 'index .map 1')}error calling index: value has type int; should be string`],
  [
    '{{index .map nil}}',
    `${at(2, 'index .map nil')}error calling index: value is nil; should be of type string`,
  ],
  ['{{index .num 1}}', `${at(2, 'index .num 1')}error calling index: can't index item of type float64`],
  ['{{index .nil 1}}', `${at(2, 'index .nil 1')}error calling index: index of untyped nil`],
  ['{{index nil 1}}', `${at(2, 'index nil 1')}error calling index: index of untyped nil`],
  ['{{index .map "zz" "y"}}', `${at(2, 'index .map "zz" "y"')}error calling index: index of nil pointer`],
  [
    '{{index .map "a" "y"}}',
    `${at(2, 'index .map "a" "y"')}error calling index: can't index item of type float64`,
  ],
  ['{{index}}', `${at(2, 'index')}wrong number of args for index: want at least 1 got 0`],
  ['{{0 | index .list}}', '3'],
];
runCases('index', doc, indexing);

const lengths: Case[] = [
  ['{{len .str}} {{len .uni}} {{len .empty}}', '5 5 0'],
  ['{{len .list}} {{len .none}} {{len .map}} {{len .emap}} {{len .bytes}} {{len .strs}}', '3 0 3 0 2 2'],
  ['{{len "日本"}}', '6'],
  ['{{len 3}}', `${at(2, 'len 3')}error calling len: len of type int`],
  ['{{len .num}}', `${at(2, 'len .num')}error calling len: len of type float64`],
  ['{{len true}}', `${at(2, 'len true')}error calling len: len of type bool`],
  ['{{len .box}}', `${at(2, 'len .box')}error calling len: len of type box.Box`],
  ['{{len .nil}}', `${at(2, 'len .nil')}error calling len: len of untyped nil`],
  ['{{len nil}}', `${at(2, 'len nil')}error calling len: len of untyped nil`],
  ['{{.nil | len}}', `${at(9, 'len')}error calling len: len of untyped nil`],
];
runCases('len', doc, lengths);

const printing: Case[] = [
  ['{{print}}|{{print ""}}|{{println}}', '||\n'],
  ['{{print 1}} {{print "a"}} {{print true}} {{print 1.5}}', '1 a true 1.5'],
  ['{{print 1 2}} {{print "a" "b"}} {{print 1 "a" 2}} {{print "a" 1 2 "b"}}', '1 2 ab 1a2 a1 2b'],
  ['{{print .nil .nil}} {{print nil "a"}} {{print true false}}', '<nil> <nil> <nil>a true false'],
  ['{{print .list .map}}', '[3 1 2] map[a:1 b:2 nothing:<nil>]'],
  ['{{println 1 "a" "b" 2}}', '1 a b 2\n'],
  ['{{println "a"}}', 'a\n'],
  ['{{print .box.Inner}} {{print .smap}} {{print .strs}} {{print .bytes}}', '{red} map[k:v] [x y] [72 105]'],
  ['{{.box.Inner}}', '{red}'],
  ['{{.box}}', '{boxed 3 <nil> {red}}'],
  ['{{print .box}}', '&{boxed 3 <nil> {red}}'],
  ['{{.mixed}}', '[1 two true <nil>]'],
  ['{{.pi}} {{.num}} {{.int}} {{.long}} {{.byte}} {{.yes}}', '3.25 42 7 8 200 true'],
  ['{{.rows}}', '[map[n:one] map[n:two]]'],
  ['{{.emap}} {{.none}}', 'map[] []'],
];
runCases('print, println and how values are written', 'https://pkg.go.dev/fmt#Print', printing);

const escapes: Case[] = [
  ['{{html "<a b=\'c\'>&\\"d\\"</a>"}}', '&lt;a b=&#39;c&#39;&gt;&amp;&#34;d&#34;&lt;/a&gt;'],
  ['{{html "a" 1 2 "<"}} {{"<" | html}}', 'a1 2&lt; &lt;'],
  ['{{html .nil}} {{html .list}} {{html "é"}}', '&lt;no value&gt; [3 1 2] é'],
  ['{{html "\\x00"}}', '\uFFFD'],
  ['{{js "it\'d be \\"nice\\" <a> & b=c \\\\"}}', `it\\'d be \\"nice\\" \\x3Ca\\x3E \\x26 b\\x3Dc \\\\`],
  ['{{js "a\\nb\\tc\\u00e9\\u2028\\x01\\x7f"}}', 'a\\u000Ab\\u0009cé\\u2028\\u0001\x7f'],
  ['{{urlquery "a b&c=d/é?~-_."}}', 'a+b%26c%3Dd%2F%C3%A9%3F~-_.'],
  ['{{urlquery "http://x/y" 1}} {{1 | urlquery "a"}}', 'http%3A%2F%2Fx%2Fy1 a1'],
];
runCases('html, js, urlquery', doc, escapes);

const calls: Case[] = [
  ['{{call 1}}', `${at(2, 'call 1')}error calling call: non-function of type int`],
  ['{{call .str 1}}', `${at(2, 'call .str 1')}error calling call: non-function of type string`],
  ['{{call nil}}', `${at(2, 'call nil')}error calling call: call of nil`],
  ['{{call}}', `${at(2, 'call')}wrong number of args for call: want at least 1 got 0`],
];
runCases('call', source, calls);
