import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { anyText } from '../../../../test/support/any-text.ts';
import { renderText } from '../../test/support/render-text.ts';
import { runeCount, utf8ToBytes } from '../go/bytes.ts';
import { RenderLimitError, type RenderLimits } from '../go/limits.ts';
import { isBuiltin } from './builtins.ts';
import { Lexer } from './lexer.ts';
import { parseTemplates } from './parser.ts';
import { TemplateExecError, TemplateSyntaxError } from './template-error.ts';

/** Small bounds, so that hostile templates end soon. */
const limits: RenderLimits = { maxWork: 20_000, maxOutputBytes: 50_000, maxDepth: 30, maxTimeMs: 5_000 };

/** Pieces of the language, in any order. */
const piece = fc.constantFrom(
  ...[
    '{{',
    '}}',
    '{{-',
    '-}}',
    '{{ ',
    ' }}',
    '{{- ',
    ' -}}',
    '{{/*',
    '*/}}',
    '/*',
    '*/',
    '(',
    ')',
    '|',
    ',',
    '.',
  ],
  ...[
    'if ',
    'else ',
    'else',
    'end',
    'range ',
    'with ',
    'define ',
    'template ',
    'block ',
    'break',
    'continue',
  ],
  ...[
    '{{end}}',
    '{{else}}',
    '{{if .a}}',
    '{{range .l}}',
    '{{with .m}}',
    '{{define "x"}}',
    '{{template "x" .}}',
  ],
  ...[
    '$',
    '$x',
    '$x := ',
    '$x = ',
    '$i, $v := ',
    ':=',
    '=',
    'nil',
    'true',
    'false',
    '.a',
    '.l',
    '.m.b.c',
    '..',
  ],
  ...[
    '"',
    '`',
    "'",
    '"text"',
    '`raw`',
    "'c'",
    '"\\x"',
    '\\',
    '1',
    '-1',
    '0x1f',
    '1e3',
    '1.5',
    '1i',
    '07',
    '1_0',
    '+',
  ],
  ...[
    'print ',
    'printf ',
    '"%d %s %v %q %x %5.2f %[2]*d %"',
    'len ',
    'index ',
    'eq ',
    'lt ',
    'and ',
    'or ',
    'not ',
  ],
  ...[
    'dict ',
    'list ',
    'until 50 ',
    'repeat 99 ',
    'toYaml ',
    'upper ',
    'default ',
    'include ',
    'set ',
    'merge ',
  ],
  ...[' ', '\n', '\t', '\r\n', 'é', '日', '\u0000', '\uFFFD', '€', 'abc', '#', '%', '}', '{'],
);

const program = fc.oneof(
  fc.array(piece, { maxLength: 40 }).map(parts => parts.join('')),
  fc.array(piece, { maxLength: 12 }).map(parts => `{{ ${parts.join('')} }}`),
  anyText({ maxLength: 60 }),
);

const data = () =>
  new Map<string, import('../go/value.ts').GoValue>([
    ['a', 1],
    ['l', [1, 'two', null]],
    ['m', new Map([['b', new Map([['c', 'deep']])]])],
  ]);

it('splits any text into tokens that lie one after another', () => {
  fc.assert(
    fc.property(program, text => {
      const source = utf8ToBytes(text);
      const lexer = new Lexer(source);
      let end = 0;
      for (let count = 0; ; count++) {
        assert.ok(count <= source.length + 1, 'more tokens than characters');
        const token = lexer.next();
        if (token.type === 'eof' || token.type === 'error') break;
        assert.ok(token.position >= end);
        assert.equal(source.slice(token.position, token.position + token.value.length), token.value);
        end = token.position + token.value.length;
      }
    }),
    { numRuns: 3000 },
  );
});

it('parses any text or refuses it with a line that exists', () => {
  fc.assert(
    fc.property(program, text => {
      try {
        const templates = parseTemplates({ name: 'f', text: utf8ToBytes(text) }, isBuiltin);
        assert.ok(templates.has('f'));
      } catch (error) {
        assert.ok(error instanceof TemplateSyntaxError, String(error));
        const line = Number(/^template: f:(\d+): /.exec(error.message)?.[1]);
        assert.ok(line >= 1 && line <= text.split('\n').length, error.message);
      }
    }),
    { numRuns: 3000 },
  );
});

it('runs anything within its bounds', () => {
  fc.assert(
    fc.property(program, text => {
      try {
        const rendered = renderText(text, data(), limits);
        assert.ok(utf8ToBytes(rendered).length <= limits.maxOutputBytes * 3);
      } catch (error) {
        const expected =
          error instanceof TemplateSyntaxError ||
          error instanceof TemplateExecError ||
          error instanceof RenderLimitError;
        assert.ok(expected, (error as Error).stack);
      }
    }),
    { numRuns: 4000 },
  );
});

it('leaves text without delimiters as it is', () => {
  const plain = fc.string({ unit: 'grapheme', maxLength: 100 }).filter(text => !text.includes('{{'));
  fc.assert(
    fc.property(plain, text => {
      fc.pre(runeCount(utf8ToBytes(text)) > 0 && text.isWellFormed());
      assert.equal(renderText(text, data()), text);
    }),
    { numRuns: 500 },
  );
});
