import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Code, GatewayError, ThreadPool } from '../../protocol/index.ts';
import { checkSchemas } from './check-schemas.ts';

const head = "values don't meet the specifications of the schema(s) in the following chart(s):";

function checkOf(schema: unknown, values: unknown, chart = 'web') {
  const text = typeof schema === 'string' ? schema : JSON.stringify(schema);
  return { chart, schema: Buffer.from(text), values: JSON.stringify(values) };
}

/** What is said of the values, a line each, without the lines that are always there. */
function complaints(schema: unknown, values: unknown): string[] {
  try {
    checkSchemas([checkOf(schema, values)]);
    return [];
  } catch (error) {
    assert.ok(error instanceof GatewayError, String(error));
    assert.deepEqual([error.code, error.reason], [Code.INVALID_ARGUMENT, 'CHART_INVALID']);
    const [first, chart, ...lines] = error.message.split('\n');
    if (first !== head) return [error.message];
    assert.equal(chart, 'web:');
    return lines.map(line => line.replace(/^- /, ''));
  }
}

describe('what is expected, in the words of Helm 3', () => {
  const x = (schema: object) => ({ properties: { x: schema } });
  const cases: [schema: object, values: object, ...lines: string[]][] = [
    [{ required: ['a'] }, {}, '(root): a is required'],
    [x({ required: ['a.b'] }), { x: {} }, 'x: a.b is required'],
    [x({ type: 'integer' }), { x: 'y' }, 'x: Invalid type. Expected: integer, given: string'],
    [x({ type: 'integer' }), { x: 1.5 }, 'x: Invalid type. Expected: integer, given: number'],
    [x({ type: ['string', 'null'] }), { x: 1 }, 'x: Invalid type. Expected: [string,null], given: integer'],
    [x({ type: 'string' }), { x: null }, 'x: Invalid type. Expected: string, given: null'],
    [x({ type: 'object' }), { x: [] }, 'x: Invalid type. Expected: object, given: array'],
    [
      x({ items: { type: 'string' } }),
      { x: ['a', true] },
      'x.1: Invalid type. Expected: string, given: boolean',
    ],
    [x({ properties: { 'a/b~': { const: 1 } } }), { x: { 'a/b~': 2 } }, 'x.a/b~: x.a/b~ does not match: 1'],
    [{ additionalProperties: false }, { y: 1 }, '(root): Additional property y is not allowed'],
    [x({ enum: ['http', 2] }), { x: 'ftp' }, 'x: x must be one of the following: "http", 2'],
    [x({ pattern: '^a+$' }), { x: 'b' }, "x: Does not match pattern '^a+$'"],
    [x({ format: 'date' }), { x: 'b' }, "x: Does not match format 'date'"],
    [x({ minLength: 2 }), { x: 'b' }, 'x: String length must be greater than or equal to 2'],
    [x({ maxLength: 2 }), { x: 'bbb' }, 'x: String length must be less than or equal to 2'],
    [x({ minimum: 2 }), { x: 1 }, 'x: Must be greater than or equal to 2'],
    [x({ maximum: 2 }), { x: 3 }, 'x: Must be less than or equal to 2'],
    [x({ exclusiveMinimum: 2 }), { x: 2 }, 'x: Must be greater than 2'],
    [x({ exclusiveMaximum: 2 }), { x: 2 }, 'x: Must be less than 2'],
    [x({ multipleOf: 2 }), { x: 3 }, 'x: Must be a multiple of 2'],
    [x({ minItems: 1 }), { x: [] }, 'x: Array must have at least 1 items'],
    [x({ maxItems: 1 }), { x: [1, 2] }, 'x: Array must have at most 1 items'],
    [x({ uniqueItems: true }), { x: [1, 2, 1] }, 'x: array items[0,2] must be unique'],
    [
      x({ contains: { const: 1 } }),
      { x: [2] },
      'x.0: x.0 does not match: 1',
      'x: At least one of the items must match',
    ],
    [x({ minProperties: 1 }), { x: {} }, 'x: Must have at least 1 properties'],
    [x({ maxProperties: 1 }), { x: { a: 1, b: 2 } }, 'x: Must have at most 1 properties'],
    [x({ dependencies: { a: ['b'] } }), { x: { a: 1 } }, 'x: Has a dependency on b'],
    [x({ not: {} }), { x: 1 }, 'x: Must not validate the schema (not)'],
    [
      { anyOf: [{ required: ['a'] }] },
      {},
      '(root): a is required',
      '(root): Must validate at least one schema (anyOf)',
    ],
    [{ oneOf: [{}, {}] }, {}, '(root): Must validate one and only one schema (oneOf)'],
    [
      JSON.parse('{"if": {}, "then": {"required": ["a"]}}'),
      {},
      '(root): a is required',
      '(root): Must validate "then" as "if" was valid',
    ],
    [{ properties: { x: false } }, { x: 1 }, 'x: False always fails validation'],
  ];
  for (const [schema, values, ...lines] of cases)
    test(JSON.stringify(schema), () => assert.deepEqual(complaints(schema, values), lines));
});

test('each chart has its own part of the message, and no more than 50 values are named', () => {
  const integer = { additionalProperties: { type: 'integer' } };
  const many = Object.fromEntries(Array.from({ length: 60 }, (_, index) => [`v${index}`, 'x']));
  const checks = [
    checkOf(integer, many, 'web'),
    checkOf(integer, { a: 1 }, 'fine'),
    checkOf(integer, { a: 'x' }, 'store'),
  ];
  assert.throws(
    () => checkSchemas(checks),
    ({ message }: Error) => {
      const lines = message.split('\n');
      assert.deepEqual(lines.slice(0, 3), [
        head,
        'web:',
        '- v0: Invalid type. Expected: integer, given: string',
      ]);
      assert.deepEqual(lines.slice(-2), ['store:', '- and 11 more']);
      return lines.length === 2 + 50 + 2;
    },
  );
});

describe('drafts', () => {
  const drafts: [name: string, schema: object, line: string][] = [
    [
      'http://json-schema.org/draft-04/schema#',
      { minimum: 2, exclusiveMinimum: true },
      'Must be greater than 2',
    ],
    ['http://json-schema.org/draft-06/schema#', { exclusiveMinimum: 2 }, 'Must be greater than 2'],
    ['http://json-schema.org/draft-07/schema', { exclusiveMinimum: 2 }, 'Must be greater than 2'],
    ['https://json-schema.org/draft-07/schema#', { exclusiveMinimum: 2 }, 'Must be greater than 2'],
    ['https://json-schema.org/draft/2019-09/schema', { exclusiveMinimum: 2 }, 'Must be greater than 2'],
    ['https://json-schema.org/draft/2020-12/schema', { exclusiveMinimum: 2 }, 'Must be greater than 2'],
    ['https://example.com/unknown', { exclusiveMinimum: 2 }, 'Must be greater than 2'],
    ['', { minimum: 2, exclusiveMinimum: true }, 'Must be greater than 2'],
    ['', { exclusiveMinimum: 2 }, 'Must be greater than 2'],
  ];
  for (const [$schema, x, line] of drafts) {
    test(`${$schema || 'none'} ${JSON.stringify(x)}`, () => {
      const schema = { ...($schema && { $schema }), properties: { x } };
      assert.deepEqual(complaints(schema, { x: 2 }), [`x: ${line}`]);
      assert.deepEqual(complaints(schema, { x: 3 }), []);
    });
  }

  test('what other programs put into schemas is passed over', () => {
    const y = {
      $id: '#/properties/x',
      id: '#x',
      type: 'integer',
      form: true,
      hidden: { value: 1 },
      format: 'slider',
    };
    const schema = { $schema: 'http://json-schema.org/draft-07/schema#', id: 'x', properties: { y } };
    assert.deepEqual(complaints(schema, { y: 'a' }), ['y: Invalid type. Expected: integer, given: string']);
  });
});

describe('references', () => {
  const integer = { type: 'integer' };
  test('inside the schema are followed', () => {
    const line = ['x: Invalid type. Expected: integer, given: string'];
    for (const schema of [
      { definitions: { a: integer }, properties: { x: { $ref: '#/definitions/a' } } },
      {
        $id: 'https://example.com/r.json',
        definitions: { a: integer },
        properties: { x: { $ref: 'r.json#/definitions/a' } },
      },
      { definitions: { a: { ...integer, $id: '#a' } }, properties: { x: { $ref: '#a' } } },
    ])
      assert.deepEqual(complaints(schema, { x: 's' }), line, JSON.stringify(schema));
  });

  for (const reference of [
    'https://example.com/x.json',
    'http://169.254.169.254/latest/meta-data#/a',
    'file:///etc/passwd',
    'x.json#/a',
    '../../secret.json',
    '//evil.example/x',
  ])
    test(`to ${reference} are refused by name`, () => {
      const [line = ''] = complaints({ properties: { x: { $ref: reference } } }, {});
      assert.match(
        line,
        /^values.schema.json of chart web cannot be used: it refers to ".*", and references to other/,
      );
      assert.ok(line.includes(reference), line);
    });

  test('that lead nowhere, or to themselves alone', () => {
    assert.match(complaints({ $ref: '#/definitions/a' }, {})[0] ?? '', /"#\/definitions\/a" leads nowhere/);
    assert.match(complaints({ $ref: '#' }, {})[0] ?? '', /refers to itself too deeply/);
  });
});

describe('schemas that are none, or mean no good', () => {
  const cases: [schema: unknown, message: RegExp][] = [
    ['{', /is not JSON/],
    ['', /is not JSON/],
    ['[]', /has to be an object/],
    ['"x"', /has to be an object/],
    [{ type: 'strange' }, /no JSON schema: type: type must be one of/],
    [{ properties: [] }, /no JSON schema: properties: Invalid type/],
    [{ properties: { x: { pattern: '(?!a)b' } } }, /cannot be used: .*(?:regexp|pattern)/],
    [{ properties: { x: { pattern: '(' } } }, /cannot be used: /],
    [`${'{"properties":{"a":'.repeat(20_000)}true${'}}'.repeat(20_000)}`, /too deeply/],
  ];
  for (const [schema, message] of cases)
    test(JSON.stringify(schema).slice(0, 60), () => assert.match(complaints(schema, {})[0] ?? '', message));

  test('patterns take linear time', () => {
    const schema = { properties: { x: { pattern: '^(a+)+$' } } };
    assert.equal(complaints(schema, { x: `${'a'.repeat(5000)}b` }).length, 1);
  });

  test('names are no code, and make no lines', () => {
    const name =
      "\"]);globalThis.broken=1;//`$\u007bglobalThis.broken=1}`'+(globalThis.broken=1)+'\n- forged: line";
    const x = {
      type: 'integer',
      enum: [name],
      pattern: name.replaceAll(/[()*+$[\]{}]/g, ''),
      title: name,
      $comment: name,
    };
    const schema = {
      title: `*/${name}`,
      properties: { [name]: x },
      required: [`*/\u2028${name}`],
      patternProperties: { a: x },
    };
    const lines = complaints(schema, { [name]: 's', a: 's' });
    assert.equal('broken' in globalThis, false);
    assert.ok(lines.length >= 4 && !lines.some(line => line.startsWith('forged')), lines.join('\n'));
  });

  test('one that takes too long, or too much memory, ends with its thread', async () => {
    const module = new URL('./check-schemas.ts', import.meta.url).href;
    const { signal } = new AbortController();
    const run = (options: { maxJobMs: number; maxHeapMiB: number }, ...args: Parameters<typeof checkOf>) =>
      new ThreadPool({ maxThreads: 1, maxWaiting: 1, ...options }).run(
        { module, name: 'checkSchemas', args: [[checkOf(...args)]] },
        { what: 'the schema', bytes: 1, signal },
      );
    const definitions: Record<string, object> = { a0: { required: ['zz'] } };
    for (let level = 1; level < 40; level++) {
      const $ref = `#/definitions/a${level - 1}`;
      definitions[`a${level}`] = { anyOf: [{ $ref }, { $ref }] };
    }
    const exhausted = (message: RegExp) => ({ code: Code.RESOURCE_EXHAUSTED, message });
    const slow = { definitions, $ref: '#/definitions/a39' };
    await assert.rejects(run({ maxJobMs: 500, maxHeapMiB: 512 }, slow, {}), exhausted(/more than 0.5 s/));
    await assert.rejects(run({ maxJobMs: 60_000, maxHeapMiB: 32 }, slow, {}), exhausted(/more than 32 MiB/));
  });
});
