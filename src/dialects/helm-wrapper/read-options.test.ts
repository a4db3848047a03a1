import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { GatewayError } from '../../protocol/index.ts';
import { optionTables, parseOptions } from './read-options.ts';

const parse = (json: string) => parseOptions('releaseOptions', Buffer.from(json));
const ofField = (given: string, field: string, type: string) =>
  `json: cannot unmarshal ${given} into Go struct field releaseOptions.${field} of type ${type}`;

describe('what a body says', () => {
  for (const [json, options] of [
    ['{}', {}],
    ['null', {}],
    [' {"dry_run": true, "wait": false} ', { dry_run: true, wait: false }],
    ['{"DRY_RUN": true}', { dry_run: true }],
    ['{"wait": true, "wait": false}', { wait: false }],
    ['{"wait": null, "set": null}', {}],
    ['{"set": ["a=1", null], "values": "a: 1"}', { set: ['a=1', ''], values: 'a: 1' }],
    ['{"timeout": "1m"}', { timeout: 60e9 }],
    ['{"timeout": 5}', { timeout: 5 }],
    ['{"timeout": ""}', { timeout: 0 }],
    ['{"nope": [[{"a": 1}]], "__proto__": {"wait": true}, "constructor": 1}', {}],
  ] as const) {
    test(json, () => assert.deepEqual(parse(json), options));
  }
});

describe('what it cannot say', () => {
  for (const [json, message] of [
    ['[]', 'json: cannot unmarshal array into Go value of type main.releaseOptions'],
    ['"a"', 'json: cannot unmarshal string into Go value of type main.releaseOptions'],
    ['true', 'json: cannot unmarshal bool into Go value of type main.releaseOptions'],
    ['{"wait": 1}', ofField('number', 'wait', 'bool')],
    ['{"values": {}}', ofField('object', 'values', 'string')],
    ['{"set": "a"}', ofField('string', 'set', '[]string')],
    ['{"set": [1]}', ofField('number', 'set', 'string')],
    ['{"history_max": "1"}', ofField('string', 'history_max', 'int')],
    ['{"history_max": 1e3}', ofField('number 1e3', 'history_max', 'int')],
    ['{"history_max": 99999999999999999999}', ofField('number 99999999999999999999', 'history_max', 'int')],
    ['{"timeout": "x"}', 'time: invalid duration "x"'],
    ['{"timeout": 1.5}', ofField('number 1.5', 'timeout', 'time.Duration')],
    ['{} {}', 'the JSON body goes on after its end (line 1, column 4)'],
    ['', 'the JSON body ends where a value should stand (line 1, column 1)'],
  ] as const) {
    test(json || 'nothing', () => assert.throws(() => parse(json), { code: 3, message }));
  }
});

test('any text is options of the table, or an error of this program', () => {
  const names = new Set(Object.keys(optionTables.releaseOptions));
  const value = fc.json({ maxDepth: 2 });
  const object = fc.dictionary(fc.constantFrom(...names, 'other'), value).map(
    fields =>
      `{${Object.entries(fields)
        .map(([name, json]) => `${JSON.stringify(name)}:${json}`)
        .join()}}`,
  );
  fc.assert(
    fc.property(fc.oneof(object, value, fc.string()), json => {
      try {
        for (const name of Object.keys(parse(json))) assert.ok(names.has(name));
      } catch (error) {
        assert.ok(error instanceof GatewayError && error.code === 3, String(error));
      }
    }),
  );
});
