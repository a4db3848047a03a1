import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { anyText } from '../../test/support/any-text.ts';
import { cpuMsOf } from '../../test/support/cpu-time.ts';
import { GatewayError } from '../protocol/index.ts';
import { parseYaml, writeYaml, type YamlValue } from './index.ts';

const refuses = (text: string, message: RegExp, bounds?: Parameters<typeof parseYaml>[1]) =>
  assert.throws(
    () => parseYaml(text, bounds),
    (error: Error) => error instanceof GatewayError && message.test(error.message),
  );

test('an alias bomb ends as in yaml.v2', () => {
  const lines = ['a0: &a0 [x,x,x,x,x,x,x,x,x,x]'];
  for (let i = 1; i < 12; i++)
    lines.push(
      `a${i}: &a${i} [${Array(10)
        .fill(`*a${i - 1}`)
        .join(',')}]`,
    );
  refuses(lines.join('\n'), /document contains excessive aliasing$/);
});

test('aliases within reason are expanded, each a value of its own', () => {
  const value = parseYaml('a: &x {k: 1}\nb: *x\nc: *x') as Map<string, Map<string, YamlValue>>;
  value.get('b')!.set('k', 2n);
  assert.deepEqual(value.get('a'), new Map([['k', 1n]]));
  assert.deepEqual(value.get('c'), new Map([['k', 1n]]));
});

test('nesting is bounded in every form it can take', () => {
  const deep = 100_000;
  refuses('['.repeat(deep), /exceeded max depth of 1000$/);
  refuses('{a: '.repeat(deep), /exceeded max depth of 1000$/);
  refuses('- '.repeat(deep), /exceeded max depth of 1000$/);
  refuses('? '.repeat(deep), /exceeded max depth of 1000$/);
  refuses(
    Array.from({ length: 2_000 }, (_, i) => `${' '.repeat(i)}a:`).join('\n'),
    /exceeded max depth of 1000$/,
  );
  const chain = Array.from({ length: 1_100 }, (_, i) => `a${i}: &a${i} [${i === 0 ? '' : `*a${i - 1}`}]`);
  refuses(chain.join('\n'), /exceeded max depth of 1000$|excessive aliasing$/);
  assert.doesNotThrow(() => parseYaml('['.repeat(1_000) + ']'.repeat(1_000)));
});

test('the length and the number of values are bounded', () => {
  refuses('x'.repeat(11), /longer than 10 characters$/, { maxLength: 10 });
  refuses('[1,2,3]', /more than 3 values$/, { maxNodes: 3 });
  assert.deepEqual(parseYaml('[1,2,3]', { maxNodes: 4 }), [1n, 2n, 3n]);
  assert.throws(() => parseYaml('a', { maxDepth: 0 }), {
    message: 'maxDepth must be an integer from 1 to 1000',
  });
  assert.throws(() => parseYaml('a', { maxNodes: 1.5 }), /maxNodes must be an integer/);
});

test('large texts of every kind are read in linear time', () => {
  const size = 200_000;
  const texts = [
    `"${'x'.repeat(size)}"`,
    `a: ${'x '.repeat(size / 2)}`,
    `|\n${' x\n'.repeat(size / 3)}`,
    `"${'\\n'.repeat(size / 2)}"`,
    `'${"''".repeat(size / 2)}'`,
    `[${'1,'.repeat(size / 2)}]`,
    `${'- 1\n'.repeat(size / 4)}`,
    `${'#\n'.repeat(size / 2)}`,
    `a: "${'\n'.repeat(size)}"`,
    `a: b${'\n'.repeat(size)}  c`,
    ' '.repeat(size),
  ];
  for (const text of texts) assert.doesNotThrow(() => parseYaml(text), text.slice(0, 20));
  refuses(`${'['.repeat(500)}\n`.repeat(100), /yaml: /);
  refuses(`0x${'f'.repeat(size)}: [`, /yaml: /);
  assert.equal(parseYaml('1'.repeat(size)), '1'.repeat(size));
});

test('a long line takes no longer by what it stands in, nor by what it is made of', () => {
  const size = 40_000;
  const contexts = [
    (line: string) => line,
    (line: string) => `a: ${line}\nb: c\n`,
    (line: string) => `a: "${line}"`,
    (line: string) => `a: '${line}'`,
    (line: string) => `a: |\n  ${line}\n  y`,
    (line: string) => `a: |\n  x\n  ${line}`,
    (line: string) => `a: >\n  ${line}\n  y`,
    (line: string) => `[${line}]`,
    (line: string) => `? ${line}\n: x`,
    (line: string) => `a: b #${line}\n`,
    (line: string) => `--- ${line}\n...`,
  ];
  for (const piece of [
    'x',
    'x ',
    ' ',
    '\t',
    ':',
    '#',
    '\\',
    "'",
    '"',
    '!',
    '&',
    '*',
    '\x85',
    ' \x85',
    '\x85x ',
  ]) {
    const line = piece.repeat(size / piece.length);
    const ms = cpuMsOf(() => {
      for (const inContext of contexts) {
        try {
          parseYaml(inContext(line));
        } catch {} // many are no YAML
      }
      for (const text of [line, `\x85x${line}x`]) {
        try {
          writeYaml(new Map([['a', text]]));
        } catch {} // nor can all be written
      }
    });
    // one that is tried again from each of its characters takes two seconds
    assert.ok(ms < 1_500, `${JSON.stringify(piece)}: ${ms} ms`);
  }
});

test('any text is read or refused, and what is read can be written', () => {
  const pieces = fc.constantFrom(
    ...[
      'a',
      'b: ',
      '- ',
      '? ',
      ': ',
      '[',
      ']',
      '{',
      '}',
      ', ',
      ' ',
      '\n',
      '\n  ',
      '\n- ',
      "'",
      '"',
      '|',
      '>-\n  ',
    ],
    ...[
      '#c\n',
      '&a ',
      '*a',
      '!!int ',
      '!t ',
      '---\n',
      '...\n',
      '\t',
      '<<: ',
      '%YAML 1.1\n',
      '\\',
      '\u2028',
      '1',
      '.inf',
    ],
  );
  const text = fc.oneof(
    fc.array(pieces, { maxLength: 40 }).map(parts => parts.join('')),
    anyText(),
  );
  fc.assert(
    fc.property(text, given => {
      let value: YamlValue;
      try {
        value = parseYaml(given);
      } catch (error) {
        assert.ok(error instanceof GatewayError, String(error));
        return;
      }
      assert.equal(typeof writeYaml(value), 'string');
    }),
    { numRuns: 5_000, seed: 20_261_121 },
  );
});
