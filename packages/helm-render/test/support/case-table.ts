import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { bytesToUtf8 } from '../../src/go/bytes.ts';
import { goFunction } from '../../src/go/function.ts';
import { GoInteger, GoStruct, type GoValue, TypedMap, typedList } from '../../src/go/value.ts';
import { TemplateExecError, TemplateSyntaxError } from '../../src/template/template-error.ts';
import { renderText } from './render-text.ts';

/** A template and the text it gives; an error's text (without `template: t:`) begins with `! `. */
export type Case = readonly [template: string, expected: string];

/** Dot in the tables: one value of every kind. */
function createData(): GoValue {
  const box = new GoStruct('*box.Box', {
    fields: [
      ['Name', { value: 'boxed' }],
      ['Size', { value: 3n }],
      ['Any', { value: null, type: 'interface {}' }],
      ['Inner', { value: new GoStruct('box.Lid', { fields: [['Color', { value: 'red' }]] }) }],
    ],
    methods: [
      ['Hello', goFunction([], () => 'hello', { result: 'string' })],
      ['Add', goFunction(['int', 'int'], ([a, b]) => (a as bigint) + (b as bigint), { result: 'int' })],
    ],
  });
  return new Map<string, GoValue>([
    ['str', 'Hello'],
    ['empty', ''],
    ['uni', 'h\xc3\xa9\xc3\xa9'],
    ['num', 42],
    ['pi', 3.25],
    ['zero', 0],
    ['int', 7n],
    ['izero', 0n],
    ['long', new GoInteger('int64', 8n)],
    ['byte', new GoInteger('uint8', 200n)],
    ['yes', true],
    ['no', false],
    ['nil', null],
    ['list', [3, 1, 2]],
    ['words', ['b', 'a', 'c']],
    ['mixed', [1, 'two', true, null]],
    ['none', []],
    ['strs', typedList('string', ['x', 'y'])],
    ['bytes', new Uint8Array([72, 105])],
    [
      'map',
      new Map<string, GoValue>([
        ['b', 2],
        ['a', 1],
        ['nothing', null],
      ]),
    ],
    ['emap', new Map()],
    ['smap', new TypedMap('map[string]string', 'string', [['k', 'v']])],
    ['deep', new Map([['x', new Map([['y', new Map([['z', 'end']])]])]])],
    ['rows', [new Map([['n', 'one']]), new Map([['n', 'two']])]],
    ['box', box],
  ]);
}

function outcome(template: string): string {
  try {
    return renderText(template, createData());
  } catch (error) {
    if (error instanceof TemplateSyntaxError || error instanceof TemplateExecError) {
      return `! ${bytesToUtf8(error.message).replace(/^template: t:/, '')}`;
    }
    throw error;
  }
}

/** Runs a table of cases. @param source where the expected texts follow from: a URL of public documentation */
export function runCases(title: string, source: string, cases: readonly Case[]): void {
  describe(`${title} (${source})`, () => {
    for (const [template, expected] of cases) {
      it(template, () => assert.equal(outcome(template), expected));
    }
  });
}
