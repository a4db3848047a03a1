import { type CaseTable, go, sprig } from './case-table.ts';

// biome-ignore-start lint/suspicious/noTemplateCurlyInString: `${1}` is Go's here
export const textTables: readonly CaseTable[] = [
  {
    source: sprig('encoding'),
    cases: [
      ['{{ b64enc "hello" }} {{ b64dec "aGVsbG8=" }}', 'aGVsbG8= hello'],
      ['{{ b64enc "" }}|{{ b64dec "" }}|', '||'],
      ['{{ b64enc "é" }} {{ b64dec "w6k=" }}', 'w6k= é'],
      ['{{ b64dec "aGVs\\nbG8=\\n" }}', 'hello'],
      ['{{ b64enc (b64dec "/+8=") }}', '/+8='],
      ['{{ b32enc "hello" }} {{ b32dec "NBSWY3DP" }}', 'NBSWY3DP hello'],
      ['{{ b32enc "hi" }} {{ b32dec "NBUQ====" }}', 'NBUQ==== hi'],
      ['{{ b32enc "" }}|{{ b32dec "" }}|', '||'],
      ['{{ b32dec "NBSW\\nY3DP" }}', 'hello'],
    ],
  },
  {
    source: go('encoding/base64#Encoding.Decode'),
    cases: [
      ['{{ b64dec "***" }}', 'illegal base64 data at input byte 0'],
      ['{{ b64dec "aGVsbG8" }}', 'illegal base64 data at input byte 4'],
      ['{{ b64dec "aGVs bG8=" }}', 'illegal base64 data at input byte 4'],
      ['{{ b64dec "aGVsbG8=x" }}', 'illegal base64 data at input byte 8'],
      ['{{ b64dec "aG=x" }}', 'illegal base64 data at input byte 2'],
      ['{{ b64dec "aG=" }}', 'illegal base64 data at input byte 3'],
      ['{{ b64dec "a===" }}', 'illegal base64 data at input byte 1'],
      ['{{ b64dec "=" }}', 'illegal base64 data at input byte 0'],
      ['{{ b32dec "NBSWY3D" }}', 'illegal base32 data at input byte 0'],
      ['{{ b32dec "nbswy3dp" }}', 'illegal base32 data at input byte 0'],
      ['{{ b32dec "NBSWY3DP1" }}', 'illegal base32 data at input byte 8'],
      ['{{ b32dec "NBUQ=" }}', 'illegal base32 data at input byte 5'],
    ],
  },
  {
    source: sprig('crypto'),
    cases: [
      ['{{ sha1sum "Hello world!" }}', 'd3486ae9136e7856bc42212385ea797094475802'],
      ['{{ sha256sum "Hello world!" }}', 'c0535e4be2b79ffd93291305436bf889314e4a3faec05ecffcbb7df31ad9e51a'],
      ['{{ sha256sum "" }}', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
      ['{{ sha256sum (b64dec "/w==") }}', 'a8100ae6aa1940d0b663bb31cd466142ebbdbd5187131b92d93818987832eb89'],
      ['{{ adler32sum "Hello world!" }}', '487130206'],
      ['{{ adler32sum "" }}', '1'],
      ['{{ adler32sum "Wikipedia" }}', '300286872'],
    ],
  },
  {
    source: sprig('paths'),
    cases: [
      ['{{ base "foo/bar/baz" }}', 'baz'],
      ['{{ base "/" }} {{ base "" }} {{ base "a///" }} {{ base "a" }}', '/ . a a'],
      ['{{ dir "foo/bar/baz" }}', 'foo/bar'],
      ['{{ dir "/" }} {{ dir "" }} {{ dir "a" }} {{ dir "/a" }} {{ dir "a/b/" }}', '/ . . / a/b'],
      ['{{ clean "foo/bar/../baz" }}', 'foo/baz'],
      [
        '{{ clean "" }} {{ clean "a//b/./c/.." }} {{ clean "/../a" }} {{ clean "../a/.." }} {{ clean "a/" }}',
        '. a/b /a .. a',
      ],
      ['{{ ext "foo.bar" }}', '.bar'],
      ['{{ ext "a/b.c/d" }}|{{ ext "a.tar.gz" }}|{{ ext ".x" }}|{{ ext "a." }}', '|.gz|.x|.'],
      ['{{ isAbs "/a" }} {{ isAbs "a" }} {{ isAbs "" }}', 'true false false'],
    ],
  },
  {
    source: sprig('strings#regexmatch-mustregexmatch'),
    cases: [
      ['{{ regexMatch "^[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\\\\.[A-Za-z]{2,}$" "test@acme.com" }}', 'true'],
      ['{{ regexMatch "a+" "bbb" }}', 'false'],
      ['{{ regexMatch "" "" }}', 'true'],
      ['{{ regexMatch "(" "x" }}', 'false'],
      ['{{ regexMatch "^é.$" "é✓" }}', 'true'],
      ['{{ regexMatch "(?s)a.b" "a\\nb" }} {{ regexMatch "a.b" "a\\nb" }}', 'true false'],
      ['{{ regexMatch "(?m)^b$" "a\\nb\\nc" }}', 'true'],
      ['{{ regexMatch "\\\\bfoo\\\\b" "a foo b" }}', 'true'],
      ['{{ regexMatch "^(([a-z])+.)+[A-Z]([a-z])+$" "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" }}', 'false'],
      ['{{ regexFindAll "[2,4,6,8]" "123456789" -1 }}', '[2 4 6 8]'],
      [
        '{{ regexFindAll "a" "aaa" 2 }} {{ regexFindAll "a" "aaa" 0 }} {{ regexFindAll "x" "a" -1 }}',
        '[a a] [] []',
      ],
      ['{{ regexFindAll "x" "a" -1 | toJson }} {{ regexSplit "a" "b" 0 | toJson }}', 'null null'],
      ['{{ regexFindAll "a*" "baac" -1 | toJson }}', '["","aa",""]'],
      ['{{ regexFindAll "" "ab" -1 | len }}', '3'],
      ['{{ regexFind "[a-zA-Z][1-9]" "abcd1234" }}', 'd1'],
      ['{{ regexFind "x" "abc" }}|', '|'],
      ['{{ regexFind "a(b)?" "ab" }}', 'ab'],
      ['{{ regexReplaceAll "a(x*)b" "-ab-axxb-" "${1}W" }}', '-W-xxW-'],
      ['{{ regexReplaceAll "a(x*)b" "-ab-axxb-" "$1W" }}', '---'],
      ['{{ regexReplaceAll "a(x*)b" "-ab-" "$1 W" }}', '- W-'],
      [
        '{{ regexReplaceAll "(?P<first>\\\\w+) (?P<second>\\\\w+)" "hello world" "${second} ${first}" }}',
        'world hello',
      ],
      ['{{ regexReplaceAll "a" "banana" "$$" }}', 'b$n$n$'],
      ['{{ regexReplaceAll "a" "banana" "$" }}', 'b$n$n$'],
      ['{{ regexReplaceAll "x*" "abc" "-" }}', '-a-b-c-'],
      ['{{ regexReplaceAll "b*" "abc" "-" }}', '-a-c-'],
      ['{{ regexReplaceAll "é" "é✓é" "e" }}', 'e✓e'],
      ['{{ regexReplaceAll "^" "ab" "> " }} {{ regexReplaceAll "$" "ab" " <" }}', '> ab ab <'],
      ['{{ regexReplaceAllLiteral "a(x*)b" "-ab-axxb-" "${1}" }}', '-${1}-${1}-'],
      ['{{ regexSplit "z+" "pizza" -1 }}', '[pi a]'],
      ['{{ regexSplit "a" "banana" -1 | toJson }}', '["b","n","n",""]'],
      ['{{ regexSplit "a" "banana" 2 | toJson }}', '["b","nana"]'],
      ['{{ regexSplit "a" "banana" 1 | toJson }}', '["banana"]'],
      ['{{ regexSplit "a" "banana" 0 | toJson }}', 'null'],
      ['{{ regexSplit "" "abc" -1 | toJson }}', '["a","b","c"]'],
      ['{{ regexSplit "x" "" -1 | toJson }}', '[""]'],
      [
        '{{ regexFind "(" "x" }}',
        { error: 'regexp: Compile(`(`): error parsing regexp: missing closing ): `(`' },
      ],
      [
        '{{ regexFindAll "a**" "x" -1 }}',
        { error: 'error parsing regexp: invalid nested repetition operator: `**`' },
      ],
      [
        '{{ regexReplaceAll "[z-a]" "x" "" }}',
        { error: 'error parsing regexp: invalid character class range: `z-a`' },
      ],
      [
        '{{ regexSplit "(?=a)" "x" -1 }}',
        { error: 'error parsing regexp: invalid or unsupported Perl syntax: `(?=`' },
      ],
      [
        '{{ regexReplaceAllLiteral "a{1001}" "x" "" }}',
        { error: 'error parsing regexp: invalid repeat count: `{1001}`' },
      ],
      ['{{ regexFind "(a)\\\\1" "x" }}', { error: 'error parsing regexp: invalid escape sequence: `\\1`' }],
    ],
  },
  {
    source: sprig('semver'),
    cases: [
      [
        '{{ $v := semver "1.2.3-alpha.1+123" }}{{ $v.Major }} {{ $v.Minor }} {{ $v.Patch }} {{ $v.Prerelease }} {{ $v.Metadata }}',
        '1 2 3 alpha.1 123',
      ],
      ['{{ (semver "v1.2").Original }} {{ semver "v1.2" }} {{ semver "1" }}', 'v1.2 1.2.0 1.0.0'],
      [
        '{{ (semver "1.2.3").Compare (semver "1.2.4") }} {{ (semver "1.2.3").Compare (semver "1.2.3") }}',
        '-1 0',
      ],
      [
        '{{ (semver "1.2.3").LessThan (semver "1.10.0") }} {{ (semver "2.0.0").GreaterThan (semver "1.0.0") }}',
        'true true',
      ],
      ['{{ (semver "1.2.3").Equal (semver "1.2.3+meta") }}', 'true'],
      [
        '{{ (semver "1.2.3").IncPatch }} {{ (semver "1.2.3").IncMinor }} {{ (semver "1.2.3").IncMajor }}',
        '1.2.4 1.3.0 2.0.0',
      ],
      ['{{ semverCompare "1.2.3" "1.2.3" }} {{ semverCompare "1.2.3" "1.2.4" }}', 'true false'],
      ['{{ semverCompare "^1.2.0" "1.2.3" }} {{ semverCompare "^1.2.0" "2.0.0" }}', 'true false'],
      [
        '{{ semverCompare ">1.2.3" "1.2.4" }} {{ semverCompare "<1.2.3" "1.2.3" }} {{ semverCompare "<=1.2.3" "1.2.3" }}',
        'true false true',
      ],
      ['{{ semverCompare "!=1.2.3" "1.2.3" }} {{ semverCompare "=1.2.3" "v1.2.3" }}', 'false true'],
      [
        '{{ semverCompare ">= 1.2, < 3.0.0 || >= 4.2.3" "1.4.5" }} {{ semverCompare ">= 1.2, < 3.0.0 || >= 4.2.3" "3.1.0" }}',
        'true false',
      ],
      ['{{ semverCompare "1.2 - 1.4.5" "1.3.0" }} {{ semverCompare "1.2 - 1.4.5" "1.4.6" }}', 'true false'],
      [
        '{{ semverCompare "1.2.x" "1.2.9" }} {{ semverCompare ">= 1.2.x" "1.2.0" }} {{ semverCompare "*" "9.9.9" }}',
        'true true true',
      ],
      [
        '{{ semverCompare "~1.2.3" "1.2.9" }} {{ semverCompare "~1.2.3" "1.3.0" }} {{ semverCompare "~1" "1.9.0" }}',
        'true false true',
      ],
      ['{{ semverCompare "~1.2" "1.2.5" }} {{ semverCompare "~1.2" "1.3.0" }}', 'true false'],
      [
        '{{ semverCompare ">=1.2.3" "1.3.0-beta" }} {{ semverCompare ">=1.2.3-0" "1.3.0-beta" }}',
        'false true',
      ],
      ['{{ semverCompare ">=1.9-0" "v1.18.20+k3s1" }}', 'true'],
      ['{{ semver "x" }}', { error: 'error calling semver: Invalid Semantic Version' }],
      ['{{ semver "1.2.3.4" }}', { error: 'Invalid Semantic Version' }],
      [
        '{{ semverCompare "bad!" "1.0.0" }}',
        { error: 'error calling semverCompare: improper constraint: bad!' },
      ],
      [
        '{{ semverCompare ">=1.0" "bad" }}',
        { error: 'error calling semverCompare: Invalid Semantic Version' },
      ],
    ],
  },
  {
    source: sprig('url'),
    cases: [
      [
        '{{ urlParse "http://admin:secret@server.com:8080/api?list=false#anchor" }}',
        'map[fragment:anchor host:server.com:8080 hostname:server.com opaque: path:/api query:list=false scheme:http userinfo:admin:secret]',
      ],
      [
        '{{ (urlParse "//host/p").host }} {{ (urlParse "/a/b").path }} {{ (urlParse "a").path }}',
        'host /a/b a',
      ],
      ['{{ (urlParse "mailto:x@y.z").opaque }} {{ (urlParse "HTTP://H").scheme }}', 'x@y.z http'],
      ['{{ (urlParse "http://[::1]:80/x").hostname }} {{ (urlParse "http://h/a%20b").path }}', '::1 /a b'],
      ['{{ (urlParse "http://u%40x@h").userinfo }} {{ (urlParse "").path }}|', 'u%40x |'],
      [
        '{{ urlJoin (dict "fragment" "fragment" "host" "host:80" "path" "/path" "query" "query" "scheme" "http") }}',
        'http://host:80/path?query#fragment',
      ],
      [
        '{{ urlJoin (dict "scheme" "https" "host" "h" "userinfo" "u:p" "path" "a b") }}',
        'https://u:p@h/a%20b',
      ],
      [
        '{{ urlJoin (dict "scheme" "mailto" "opaque" "x@y.z") }} {{ urlJoin (dict "path" "a:b") }}',
        'mailto:x@y.z ./a:b',
      ],
      ['{{ urlJoin (dict) }}|', '|'],
      ['{{ urlJoin (urlParse "https://u:p@h:1/a/b?c=d#e") }}', 'https://u:p@h:1/a/b?c=d#e'],
      [
        '{{ urlParse "http://a/%zz" }}',
        { error: 'unable to parse url: parse "http://a/%zz": invalid URL escape "%zz"' },
      ],
      [
        '{{ urlParse "http://a:b/" }}',
        { error: 'unable to parse url: parse "http://a:b/": invalid port ":b" after host' },
      ],
      ['{{ urlParse ":x" }}', { error: 'unable to parse url: parse ":x": missing protocol scheme' }],
      [
        '{{ urlJoin (dict "host" 1) }}',
        { error: 'unable to parse host key, must be of type string, but int found' },
      ],
      ['{{ getHostByName "localhost" }} {{ getHostByName "10.1.2.3" }}', '127.0.0.1 10.1.2.3'],
      [
        '{{ getHostByName "no.such.name" }}',
        { error: 'error calling getHostByName: invalid argument to Intn' },
      ],
    ],
  },
];
// biome-ignore-end lint/suspicious/noTemplateCurlyInString: see above
