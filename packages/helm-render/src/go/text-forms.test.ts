import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { bytesToUtf8, runeCount, runesOf, utf8ToBytes } from './bytes.ts';
import { formatFloat } from './float.ts';
import { RenderLimitError, uncounted } from './limits.ts';
import { formatValue } from './print.ts';
import { sprintf } from './printf.ts';
import { quote, unquote } from './quote.ts';
import { GoInteger, type GoValue, int64, sortedKeys } from './value.ts';

const runs = { numRuns: 1000 };
const double = fc.double({ noNaN: true, noDefaultInfinity: true });

describe('floating point', () => {
  it('reads back the same from its shortest form', () => {
    fc.assert(
      fc.property(double, value => {
        assert.ok(Object.is(Number(formatFloat(value, 'g', -1)), value));
        assert.ok(Object.is(Number(formatFloat(value, 'e', -1)), value));
        assert.ok(Object.is(Number(formatFloat(value, 'f', -1)), value));
      }),
      runs,
    );
  });

  it('is within half a unit of the last place shown', () => {
    fc.assert(
      fc.property(fc.double({ min: -1e15, max: 1e15, noNaN: true }), fc.nat(6), (value, places) => {
        const shown = Number(formatFloat(value, 'f', places));
        assert.ok(Math.abs(shown - value) <= 0.5000001 * 10 ** -places + Math.abs(value) * 1e-15);
      }),
      runs,
    );
  });

  it('rounds halves to even', () => {
    const halves = ['0.5', '1.5', '2.5', '3.5', '-0.5', '-1.5'].map(text =>
      formatFloat(Number(text), 'f', 0),
    );
    assert.deepEqual(halves, ['0', '2', '2', '4', '-0', '-2']);
    assert.equal(formatFloat(1.125, 'f', 2), '1.12');
    assert.equal(formatFloat(1.375, 'f', 2), '1.38');
  });

  it('has names for what is no number', () => {
    assert.deepEqual(
      [Number.NaN, Infinity, -Infinity].map(value => formatFloat(value, 'g', -1)),
      ['NaN', '+Inf', '-Inf'],
    );
    assert.equal(sprintf('%5.1f|%-6v|%+v', [Number.NaN, Infinity, Infinity], uncounted), '  NaN|+Inf  |+Inf');
  });
});

describe('strings', () => {
  it('come back from their quoted form', () => {
    const bytes = fc.uint8Array({ maxLength: 40 }).map(array => Buffer.from(array).toString('latin1'));
    fc.assert(
      fc.property(bytes, text => {
        assert.equal(unquote(quote(text)), text);
        assert.equal(unquote(quote(text, true)), text);
      }),
      runs,
    );
  });

  it('come back from bytes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), text => {
        fc.pre(text.isWellFormed());
        assert.equal(bytesToUtf8(utf8ToBytes(text)), text);
        assert.equal(runeCount(utf8ToBytes(text)), Array.from(text).length);
      }),
      runs,
    );
  });

  it('show one U+FFFD for each byte that is no text', () => {
    assert.equal(bytesToUtf8('a\xff\xfeb'), 'a\uFFFD\uFFFDb');
    assert.equal(bytesToUtf8('\xe6\x97'), '\uFFFD\uFFFD');
    assert.equal(bytesToUtf8('\xed\xa0\x80'), '\uFFFD\uFFFD\uFFFD');
    assert.deepEqual(
      Array.from(runesOf('\xf4\x90\x80\x80'), rune => rune.size),
      [1, 1, 1, 1],
    );
  });
});

describe('values', () => {
  it('wrap around as Go’s integers do', () => {
    assert.equal(new GoInteger('uint8', 300n).value, 44n);
    assert.equal(new GoInteger('int8', 200n).value, -56n);
    assert.equal(int64(2n ** 63n).value, -(2n ** 63n));
  });

  it('sort keys by byte', () => {
    const keys = ['b', 'a', 'Z', '\xc3\xa9', '10', '2'];
    assert.deepEqual(sortedKeys(new Map(keys.map(key => [key, null]))), [
      '10',
      '2',
      'Z',
      'a',
      'b',
      '\xc3\xa9',
    ]);
  });

  it('that hold themselves are not printed for ever', () => {
    const map = new Map<string, GoValue>();
    map.set('self', map);
    assert.throws(() => formatValue(map, uncounted), RenderLimitError);
  });
});

it('never fails on a format, whatever it says', () => {
  const directive = fc.constantFrom(...'%%%+-# 0123456789.*[]vdsqxXobcUeEfgGtTwé'.split(''));
  const value = fc.constantFrom<GoValue>(
    null,
    true,
    'text',
    3n,
    -1.5,
    int64(9n),
    ['a', null],
    new Map([['k', 1]]),
  );
  fc.assert(
    fc.property(
      fc.array(directive, { maxLength: 12 }),
      fc.array(value, { maxLength: 4 }),
      (parts, values) => {
        assert.equal(typeof sprintf(parts.join(''), values, uncounted), 'string');
      },
    ),
    { numRuns: 3000 },
  );
});
