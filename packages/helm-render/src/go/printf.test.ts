import { type Case, runCases } from '../../test/support/case-table.ts';

const doc = 'https://pkg.go.dev/fmt#hdr-Printing';
const tests = 'https://github.com/golang/go/blob/go1.19/src/fmt/fmt_test.go';

const integers: Case[] = [
  ['{{printf "%d" 12345}} {{printf "%v" -12345}}', '12345 -12345'],
  ['{{printf "%5d|%-5d|%05d|%+d|% d" 42 42 42 42 42}}', '   42|42   |00042|+42| 42'],
  ['{{printf "%05d|%+05d|%-05d|" -42 42 42}}', '-0042|+0042|42   |'],
  ['{{printf "%.5d|%8.5d|%-8.5d|%08.5d" 42 42 42 42}}', '00042|   00042|00042   |   00042'],
  ['{{printf "%.0d|%.0d" 0 1}}', '|1'],
  ['{{printf "%b %o %O %x %X" 10 10 10 255 255}}', '1010 12 0o12 ff FF'],
  ['{{printf "%#b %#o %#x %#X" 10 10 255 255}}', '0b1010 012 0xff 0XFF'],
  ['{{printf "%x %b" -255 -5}}', '-ff -101'],
  ['{{printf "%c %c %q %U %#U" 65 233 65 233 233}}', "A é 'A' U+00E9 U+00E9 'é'"],
  ['{{printf "%q %+q" 10 233}}', "'\\n' '\\u00e9'"],
  ['{{printf "%U" 128512}}', 'U+1F600'],
  ['{{printf "%d %v %x" .long .byte .byte}}', '8 200 c8'],
  ['{{printf "%#v %#v" .byte .int}}', '0xc8 7'],
  ['{{printf "%8x|%-8x|%08x" 255 255 255}}', '      ff|ff      |000000ff'],
  ['{{printf "%s %t %f" 1 2 3}}', '%!s(int=1) %!t(int=2) %!f(int=3)'],
];
runCases('Integers', doc, integers);

const floats: Case[] = [
  [
    '{{printf "%f %.2f %.0f %8.2f|%-8.2f|" 3.14159 3.14159 2.5 3.14159 3.14159}}',
    '3.141590 3.14 2     3.14|3.14    |',
  ],
  ['{{printf "%e %E %.2e" 12345.678 12345.678 0.00012}}', '1.234568e+04 1.234568E+04 1.20e-04'],
  ['{{printf "%g %G %.3g %.10g" 1e-7 1e21 1234.5678 100000.0}}', '1e-07 1E+21 1.23e+03 100000'],
  ['{{printf "%v %v %v %v" 1.0 1e6 1e20 1e21}}', '1 1e+06 1e+20 1e+21'],
  ['{{printf "%v %v %v" 100000.0 1000000.0 123456789.0}}', '100000 1e+06 1.23456789e+08'],
  ['{{printf "%v %v %v" 0.0001 0.00001 0.1}}', '0.0001 1e-05 0.1'],
  ['{{printf "%+f %+.1f % f" 1.0 -1.0 1.0}}', '+1.000000 -1.0  1.000000'],
  ['{{printf "%08.3f|%+08.3f|%08.3f" 3.14159 3.14159 -3.14159}}', '0003.142|+003.142|-003.142'],
  ['{{printf "%.1f %.1f %.1f %.1f" 0.25 0.35 0.45 -0.25}}', '0.2 0.3 0.5 -0.2'],
  ['{{printf "%.2f %.3f" 1.005 2.0005}}', '1.00 2.001'],
  ['{{printf "%.20f" 0.1}}', '0.10000000000000000555'],
  ['{{printf "%#g %#.3g %#.0f" 1.0 1.0 1.0}}', '1.00000 1.00 1.'],
  [
    '{{printf "%d %s %t %c" 1.5 1.5 1.5 1.5}}',
    '%!d(float64=1.5) %!s(float64=1.5) %!t(float64=1.5) %!c(float64=1.5)',
  ],
  ['{{printf "%6.2f%%" 12.345}}', ' 12.35%'],
  ['{{printf "%v %.1f" 1i 1+2i}}', '(0+1i) (1.0+2.0i)'],
  ['{{printf "%F" 1.5}}', '1.500000'],
];
runCases('Floating point', doc, floats);

const strings: Case[] = [
  [
    '{{printf "%s|%v|%5s|%-5s|%.2s|%5.1s" "abc" "abc" "abc" "abc" "abc" "abc"}}',
    'abc|abc|  abc|abc  |ab|    a',
  ],
  ['{{printf "%05s" "abc"}}', '00abc'],
  ['{{printf "%q %#q %+q" "a\\"b" "a\\"b" "é"}}', '"a\\"b" `a"b` "\\u00e9"'],
  ['{{printf "%q" "a\\tb\\n\\x00\\x7f"}}', '"a\\tb\\n\\x00\\x7f"'],
  ['{{printf "%q" "\\xff\\u2028"}}', '"\\xff\\u2028"'],
  ['{{printf "%#q" "a`b"}}', '"a`b"'],
  ['{{printf "%x %X % x %#x %# x" "hi" "hi" "hi" "hi" "hi"}}', '6869 6869 68 69 0x6869 0x68 0x69'],
  ['{{printf "%.1x" "hi"}}', '68'],
  ['{{printf "%5s|%-5s|" "é" "é"}}', '    é|é    |'],
  ['{{printf "%.2s" "ééé"}}', 'éé'],
  ['{{printf "%d %t %f" "a" "a" "a"}}', '%!d(string=a) %!t(string=a) %!f(string=a)'],
  ['{{printf "%#v" "a\\"b"}}', '"a\\"b"'],
  ['{{printf "%s %x %q %v %d" .bytes .bytes .bytes .bytes .bytes}}', 'Hi 4869 "Hi" [72 105] [72 105]'],
  ['{{printf "%10q|" "a"}}', '       "a"|'],
];
runCases('Strings', doc, strings);

const others: Case[] = [
  ['{{printf "%t %v %5t|" true false true}}', 'true false  true|'],
  ['{{printf "%s %d" true false}}', '%!s(bool=true) %!d(bool=false)'],
  ['{{printf "%v %d %s %t" .nil .nil .nil .nil}}', '<nil> %!d(<nil>) %!s(<nil>) %!t(<nil>)'],
  ['{{printf "%5v|" nil}}', '<nil>|'],
  ['{{printf "%7v|" nil}}', '  <nil>|'],
  ['{{printf "%v %s" .list .words}}', '[3 1 2] [b a c]'],
  ['{{printf "%s" .list}}', '[%!s(float64=3) %!s(float64=1) %!s(float64=2)]'],
  ['{{printf "%d" .words}}', '[%!d(string=b) %!d(string=a) %!d(string=c)]'],
  ['{{printf "%q" .words}} {{printf "%x" .words}}', '["b" "a" "c"] [62 61 63]'],
  ['{{printf "%02v" .list}}', '[03 01 02]'],
  ['{{printf "%v %s" .map .smap}}', 'map[a:1 b:2 nothing:<nil>] map[k:v]'],
  ['{{printf "%s" .mixed}}', '[%!s(float64=1) two %!s(bool=true) <nil>]'],
  [
    '{{printf "%+v" .box.Inner}} {{printf "%v" .box.Inner}} {{printf "%#v" .box.Inner}}',
    '{Color:red} {red} box.Lid{Color:"red"}',
  ],
  [
    '{{printf "%v" .box}} {{printf "%+v" .box}}',
    '&{boxed 3 <nil> {red}} &{Name:boxed Size:3 Any:<nil> Inner:{Color:red}}',
  ],
  ['{{printf "%#v" .list}} {{printf "%#v" .strs}}', '[]interface {}{3, 1, 2} []string{"x", "y"}'],
  ['{{printf "%#v" .map}}', 'map[string]interface {}{"a":1, "b":2, "nothing":interface {}(nil)}'],
  [
    '{{printf "%#v" .smap}} {{printf "%#v" true}} {{printf "%#v" 1.5}}',
    'map[string]string{"k":"v"} true 1.5',
  ],
  ['{{printf "%#v" .bytes}}', '[]byte{0x48, 0x69}'],
  ['{{printf "%T %T %T %T %T" 1 1.5 "a" true nil}}', 'int float64 string bool <nil>'],
  [
    '{{printf "%T %T %T %T %T" .list .map .strs .smap .bytes}}',
    '[]interface {} map[string]interface {} []string map[string]string []uint8',
  ],
  ['{{printf "%T %T %T %T" .long .byte .box .box.Inner}}', 'int64 uint8 *box.Box box.Lid'],
  ['{{printf "%T" 1i}}', 'complex128'],
  ['{{printf "%8T|%-8T|" 1 1}}', '     int|int     |'],
];
runCases('Booleans, nil, lists, maps, structs, types', doc, others);

const directives: Case[] = [
  ['{{printf "100%%"}} {{printf "%5%"}}', '100% %'],
  ['{{printf "%"}} {{printf "a%"}} {{printf "%-"}}', '%!(NOVERB) a%!(NOVERB) %!(NOVERB)'],
  ['{{printf "%z" 1}} {{printf "%é" 1}}', '%!z(int=1) %!é(int=1)'],
  ['{{printf "%s"}} {{printf "%s %s" "a"}}', '%!s(MISSING) a %!s(MISSING)'],
  ['{{printf "a" 1}} {{printf "%d" 1 "x" nil}}', 'a%!(EXTRA int=1) 1%!(EXTRA string=x, <nil>)'],
  ['{{printf "%*d|%-*d|" 5 42 5 42}}', '   42|42   |'],
  ['{{printf "%*d|" -5 42}}', '42   |'],
  ['{{printf "%.*f" 2 3.14159}} {{printf "%*.*f" 8 2 3.14159}}', '3.14     3.14'],
  ['{{printf "%*d" "x" 42}}', '%!(BADWIDTH)42'],
  ['{{printf "%.*d" "x" 42}}', '%!(BADPREC)42'],
  ['{{printf "%*d" 10000001 42}}', '%!(BADWIDTH)42'],
  ['{{printf "a%10000001dbc" 42}}', 'a%!(NOVERB)%!(EXTRA int=42)'],
  ['{{printf "%!" 1}} {{printf "%!"}}', '%!!(int=1) %!!(MISSING)'],
  ['{{printf "%.*d" -1 42}}', '%!(BADPREC)42'],
  ['{{printf "%[1]d" 1}} {{printf "%[2]d %[1]d" 1 2}}', '1 2 1'],
  ['{{printf "%[2]*[1]d" 2 5}} {{printf "%6.2f" 12.0}}', '    2  12.00'],
  ['{{printf "%[3]*.[2]*[1]f|" 12.0 2 6}}', ' 12.00|'],
  ['{{printf "%d %d %#[1]x %#x" 16 17}}', '16 17 0x10 0x11'],
  [
    '{{printf "%[5]d" 1}} {{printf "%[x]d" 1}} {{printf "%[]d" 1}}',
    '%!d(BADINDEX) %!d(BADINDEX) %!d(BADINDEX)',
  ],
  ['{{printf "%[3]d" 1 2}}', '%!d(BADINDEX)'],
  ['{{printf "%[1]s %[1]s" "a"}}', 'a a'],
  ['{{printf "%d %s" "a" 1}}', '%!d(string=a) %!s(int=1)'],
  ['{{printf "%v, %v" 1 2 | printf "%s!"}}', '1, 2!'],
  ['{{printf "é %s" "日"}}', 'é 日'],
  ['{{printf "%.3d|%.d" 7 7}}', '007|7'],
  ['{{printf "%-+5d|%+-5d|" 7 7}}', '+7   |+7   |'],
];
runCases('Directives', tests, directives);
