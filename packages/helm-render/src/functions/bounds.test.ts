import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { renderText } from '../../test/support/render-text.ts';
import { GoError } from '../go/function.ts';
import { defaultRenderLimits, RenderBudget, RenderLimitError } from '../go/limits.ts';
import { GoInteger, type GoValue, typedList } from '../go/value.ts';
import { TemplateExecError } from '../template/template-error.ts';
import { functionLibrary } from './index.ts';

const limits = { ...defaultRenderLimits, maxWork: 10_000_000, maxTimeMs: 10_000 };

/** Lines that ask for far more than they are long. */
const hostile = [
  '{{ repeat 2000000000 "x" }}',
  '{{ repeat 9223372036854775807 "" }}',
  '{{ indent 2000000000 "x" }}',
  '{{ until 2000000000 }}',
  '{{ until -2000000000 }}',
  '{{ untilStep 0 9223372036854775807 2 }}',
  '{{ randAlphaNum 2000000000 }}',
  '{{ $x := repeat 1000 "x" }}{{ replace "x" $x (repeat 1000 $x) | replace "x" $x }}',
  '{{ $x := repeat 1000 "x" }}{{ replace "" $x (repeat 1000 $x) }}',
  '{{ $x := repeat 100000 "\\n" }}{{ indent 1000 $x }}',
  '{{ $l := until 10000 }}{{ uniq $l }}',
  '{{ join (repeat 100000 "x") (until 1000) }}',
  '{{ regexReplaceAll "" (repeat 100000 "x") (repeat 1000 "y") }}',
  '{{ regexMatch (repeat 4000 "a?") (repeat 1000000 "a") }}',
  '{{ wrapWith 1 (repeat 10000 "x") (repeat 10000 "y") }}',
  '{{ $d := dict }}{{ $_ := set $d "d" $d }}{{ toYaml $d }}{{ deepCopy $d }}',
  '{{ $d := dict }}{{ $_ := set $d "d" $d }}{{ merge $d $d }}{{ deepCopy $d }}',
  '{{ range until 1000 }}{{ genPrivateKey "ecdsa" }}{{ end }}',
  '{{ $l := list 1 }}{{ range until 100 }}{{ $l = list $l $l }}{{ end }}{{ toJson $l }}',
  '{{ $a := list 1 }}{{ $b := list 1 }}{{ range until 100 }}{{ $a = list $a $a }}{{ $b = list $b $b }}{{ end }}{{ deepEqual $a $b }}',
  '{{ $a := list 1 }}{{ range until 100 }}{{ $a = list $a $a }}{{ end }}{{ deepCopy $a }}',
  '{{ $l := list 1 }}{{ range until 100 }}{{ $l = concat $l $l }}{{ end }}{{ len $l }}',
];

test('a line cannot make much out of little', () => {
  for (const line of hostile) {
    assert.throws(
      () => renderText(line, null, limits),
      (error: Error) => {
        assert.ok(error instanceof RenderLimitError || /depth|deep/.test(error.message), `${line}: ${error}`);
        return true;
      },
    );
  }
});

test('a value that shares its parts is printed for as much work as there is', () => {
  const tight = { ...limits, maxWork: 1_000_000 };
  const shared = (times: number) =>
    `{{ $l := list 1 }}{{ range until ${times} }}{{ $l = list $l $l }}{{ end }}{{ $d := dict "a" $l }}`;
  const printing =
    'print|println|html|quote|squote|cat|toString|join ","|sortAlpha|toDecimal|printf "%v"|printf "%#v"|printf "%d"|printf ""|dict|eq|eq nil'
      .split('|')
      .map(call => `{{ ${call} $l }}`);
  for (const line of [...printing, '{{ genSelfSignedCert "" nil $l 1 }}', '{{ $l }}', '{{ $d }}']) {
    const isTooMuch = (error: Error) =>
      error instanceof RenderLimitError && /too much work/.test(error.message);
    assert.throws(() => renderText(shared(15) + line, null, tight), isTooMuch, line);
  }
  assert.match(renderText(`${shared(5)}{{ $l }}`, null, tight), /^\[+1\] \[1/);
});

const context = () => {
  const budget = new RenderBudget(limits);
  return { now: new Date(0), charge: (amount: number) => budget.charge(amount) };
};

const text = fc.oneof(
  fc.string({ unit: fc.integer({ min: 0, max: 255 }).map(byte => String.fromCharCode(byte)), maxLength: 20 }),
  fc.constantFrom(
    '',
    '1',
    '-1',
    'a,b',
    '1.2.3',
    '>=1.0',
    '(a*)',
    '[',
    '2006-01-02',
    'http://a/b?c#d',
    '{"a":[1]}',
    'a: [1]',
    'YWJj',
  ),
);
const integer = fc.oneof(
  fc.bigInt({ min: -20n, max: 20n }),
  fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n }),
);
const anything: fc.Arbitrary<GoValue> = fc.letrec<{ value: GoValue }>(tie => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.constant(null),
    fc.boolean(),
    text,
    integer,
    fc.double(),
    integer.map(value => new GoInteger('int64', value)),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.array(text, { maxLength: 4 }).map(items => typedList('string', items)),
    fc.uint8Array({ maxLength: 4 }),
    fc.array(fc.tuple(text, tie('value')), { maxLength: 4 }).map(entries => new Map(entries)),
  ),
})).value;

const now = functionLibrary.get('now')!.call([], context());
const certificate = functionLibrary.get('genCA')!.call(['ca', 1n], context());

/** Values of the types that the evaluator lets through to a parameter. */
const byType: Record<string, fc.Arbitrary<GoValue>> = {
  'interface {}': anything,
  string: text,
  int: integer,
  bool: fc.boolean(),
  float64: fc.double(),
  uint32: fc.nat().map(value => new GoInteger('uint32', BigInt(value))),
  'map[string]interface {}': fc
    .array(fc.tuple(text, anything), { maxLength: 4 })
    .map(entries => new Map(entries)),
  '[]interface {}': fc.option(fc.array(anything, { maxLength: 4 })),
  'time.Time': fc.constant(now),
  'sprig.certificate': fc.constant(certificate),
};

/** A real key or scrypt takes too long to be made a hundred times. */
const heavy = /^(gen|derivePassword$)/;

test('whatever arguments of the declared types a function gets, it answers or gives a Go error', () => {
  for (const [name, fn] of functionLibrary) {
    const fixed = fn.params.map(type => byType[type] ?? assert.fail(`${name} takes ${type}`));
    const more =
      fn.variadic === undefined ? fc.constant([]) : fc.array(byType[fn.variadic]!, { maxLength: 4 });
    const args = fc.tuple(fc.tuple(...fixed), more).map(([first, rest]) => [...first, ...rest] as GoValue[]);
    fc.assert(
      fc.property(args, given => {
        try {
          assert.notEqual(fn.call(given, context()), undefined);
        } catch (error) {
          const known = error instanceof GoError || error instanceof RenderLimitError;
          assert.ok(known, `${name}: ${error instanceof Error ? error.stack : error}`);
        }
      }),
      { numRuns: heavy.test(name) ? 2 : 100, seed: 20_261_121 },
    );
  }
});

/** Lines with long arguments that only careless patterns and loops would take long for; each would take minutes then. */
const long = [
  '{{ wrapWith 1 "|" (repeat 300000 "x") | len }}',
  '{{ wrap 10 (repeat 300000 "x y ") | len }}',
  '{{ trim (repeat 300000 " x") | len }}',
  '{{ trim (cat "x" (repeat 300000 " ") "x") | len }}',
  '{{ base (repeat 300000 "/") }}{{ clean (repeat 100000 "../") | len }}',
  '{{ initials (repeat 300000 "a ") | len }}{{ untitle (repeat 300000 "A ") | len }}',
  '{{ snakecase (repeat 100000 "Ab") | len }}{{ camelcase (repeat 100000 "a_") | len }}',
  '{{ urlParse (cat "http://a" (repeat 100000 ":1")) | len }}',
  '{{ int (repeat 300000 "1") }}{{ float64 (repeat 300000 "1") }}{{ toDecimal (repeat 300000 "1") }}',
  '{{ date (repeat 100000 ".0") now | len }}{{ toDate (repeat 100000 "0") "x" }}{{ toDate (printf ".%s" (repeat 100000 "0")) "x" }}',
  '{{ dateModify (repeat 100000 "1h") now }}',
  '{{ b64dec (repeat 300000 "=") }}{{ b32dec (repeat 300000 "=") }}{{ b32dec (repeat 300000 "A") | len }}',
  '{{ fromYaml (repeat 300000 " ") }}{{ fromYaml (repeat 300000 "a: ") | len }}{{ fromJson (repeat 300000 "[") | len }}',
  '{{ semverCompare (repeat 300000 "1") "1" }}',
  '{{ buildCustomCert (b64enc (repeat 60000 "-----BEGIN A-----")) "" }}',
  '{{ regexReplaceAll "a" (repeat 300000 "a") "b" | len }}{{ regexSplit "," (repeat 100000 "a,") -1 | len }}',
  '{{ join "," (splitList "" (repeat 100000 "a")) | len }}{{ splitList "," (repeat 300000 ",") | len }}',
  '{{ quote (repeat 300000 "\\x01") | len }}{{ nospace (repeat 300000 " ") | len }}{{ title (repeat 300000 "a ") | len }}',
];

test('long arguments take time in proportion', () => {
  for (const line of long) {
    try {
      renderText(line, null, { ...limits, maxWork: 200_000_000, maxTimeMs: 20_000 });
    } catch (error) {
      assert.ok(error instanceof TemplateExecError, `${line}: ${error}`);
    }
  }
});
