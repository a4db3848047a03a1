import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { cpuMsOf } from '../../test/support/cpu-time.ts';
import { jsonToWire } from './json-to-wire.ts';
import { decodeMessage, messageType } from './schema.ts';
import { limits } from './wire-format.ts';
import { wireToJson } from './wire-to-json.ts';
import { WireWriter } from './wire-writer.ts';

const install = messageType('appscode.swift.v2.InstallReleaseRequest');
const read = (json: unknown) =>
  decodeMessage(
    'appscode.swift.v2.InstallReleaseRequest',
    jsonToWire(install, Buffer.from(typeof json === 'string' ? json : JSON.stringify(json))),
  );
const refuses = (json: unknown, message: string) =>
  assert.throws(() => read(json), { name: 'GatewayError', code: 3, message });

describe('what is read', () => {
  test('both spellings, strings and numbers for 64-bit integers, null as absent, unknown names skipped', () => {
    const got = read({
      chartUrl: 'u',
      dry_run: true,
      timeout: '30',
      namespace: null,
      colour: { deep: [1, { x: 'y' }] },
    });
    assert.deepEqual([got.chart_url, got.dry_run, got.timeout, got.namespace], ['u', true, 30, '']);
    assert.equal(read({ timeout: 30 }).timeout, 30);
    assert.equal(read('{"timeout": 3e1}').timeout, 30);
    assert.equal(read('{"timeout": -1.0}').timeout, -1);
  });

  test('nested messages of every length, lists, maps and bytes in both base64 alphabets', () => {
    for (const size of [0, 10, 127, 128, 16_383, 16_384, 3_000_000]) {
      const data = Buffer.alloc(size, 0xfb);
      const got = read({
        chart: {
          metadata: { keywords: ['a', ''], annotations: { k: 'v', e: '' } },
          templates: [{ name: 'n', data: data.toString('base64') }, { data: data.toString('base64url') }],
        },
      });
      assert.deepEqual(got.chart?.metadata?.keywords, ['a', '']);
      assert.deepEqual(got.chart?.metadata?.annotations, { k: 'v', e: '' });
      assert.equal(Buffer.compare(Buffer.from(got.chart?.templates[0]?.data ?? []), data), 0);
      assert.equal(Buffer.compare(Buffer.from(got.chart?.templates[1]?.data ?? []), data), 0);
    }
  });

  test('escapes in strings and names', () => {
    assert.equal(read('{"\\u006eame":"a\\"\\\\\\n\\u00e9\\ud83d\\ude00é"}').name, 'a"\\\né😀é');
  });

  test('of a name that comes twice the last counts', () => {
    assert.equal(read('{"name":"a","name":"b"}').name, 'b');
    assert.equal(read('{"dry_run":true,"dry_run":false}').dry_run, false);
  });

  test('enums by name, number, and number in a string', () => {
    const list = messageType('appscode.swift.v2.SummarizeReleasesRequest');
    for (const value of ['"LAST_RELEASED"', '2', '"2"']) {
      const wire = jsonToWire(list, Buffer.from(`{"sort_by":${value}}`));
      assert.equal(
        decodeMessage('appscode.swift.v2.SummarizeReleasesRequest', wire).sort_by,
        'LAST_RELEASED',
      );
    }
  });
});

describe('what is refused, and how it is named', () => {
  test('wrong kinds of value', () => {
    refuses({ values: { raw: 7 } }, 'values.raw: expected a string, got a number');
    refuses({ chart_url: ['x'] }, 'chart_url: expected a string, got a list');
    refuses({ dry_run: 'yes' }, 'dry_run: expected true or false, got a string');
    refuses(
      { chart: { templates: [{}, { data: 1 }] } },
      'chart.templates[1].data: expected base64 in a string, got a number',
    );
    refuses({ chart: { templates: [null] } }, 'chart.templates[0]: expected an object, got null');
    refuses({ chart: 'x' }, 'chart: expected an object, got a string');
    refuses(
      { values: { values: { a: { value: false } } } },
      'values.values.a.value: expected a string, got false',
    );
  });

  test('wrong numbers, base64 and enums', () => {
    refuses({ timeout: '3s' }, 'timeout: expected a whole number, got "3s"');
    refuses({ timeout: 1.5 }, 'timeout: expected a whole number, got "1.5"');
    refuses({ timeout: '99999999999999999999' }, 'timeout: "99999999999999999999" is out of range for int64');
    refuses({ ca_bundle: '***' }, 'ca_bundle: expected base64');
  });

  test('what is not JSON, with the place', () => {
    refuses('{"chart_url": ', 'the JSON body ends where a value should stand (line 1, column 15)');
    refuses('', 'the JSON body ends where a value should stand (line 1, column 1)');
    refuses('[1,2]', 'the JSON body has to be an object, got a list');
    refuses('{} {}', 'the JSON body goes on after its end (line 1, column 4)');
    refuses('{\n  name: 1}', 'the JSON body has no name in quotes where one should stand (line 2, column 3)');
    refuses('{"name":"a\nb"}', 'the JSON body has a control character in a string (line 1, column 10)');
    refuses('{"name":"\\x"}', 'the JSON body has a malformed string (line 1, column 10)');
    refuses('{"name":"abc', 'the JSON body has a string without an end (line 1, column 10)');
    refuses('{"x":01}', 'the JSON body has a malformed number (line 1, column 6)');
    refuses('{"x":tru}', 'the JSON body has something that is not a value (line 1, column 6)');
  });

  test('what nests too deep, known and unknown', () => {
    refuses(`{"x":${'['.repeat(5000)}`, 'the JSON body nests deeper than 100 (line 1, column 107)');
    const chart = `{"chart":${'{"dependencies":['.repeat(101)}{}`;
    assert.throws(() => read(chart), { code: 3, message: /nests deeper than 100$/ });
  });
});

test('random text: a message or a clear refusal', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json(), fc.stringMatching(/^[{}[\]",:0-9a-z\\ ]*$/)), text => {
      try {
        read(text);
      } catch (error) {
        assert.equal((error as { code: number }).code, 3);
      }
    }),
    { numRuns: 3000 },
  );
});

test('JSON → wire → JSON gives the same, for any values and metadata', () => {
  const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 });
  const request = fc.record({
    name: text,
    timeout: fc.bigInt({ min: 1n, max: 2n ** 63n - 1n }).map(String),
    chart: fc.record({ metadata: fc.record({ name: text, sources: fc.array(text, { minLength: 1 }) }) }),
    values: fc.record({ raw: text }),
  });
  fc.assert(
    fc.property(request, source => {
      const wire = jsonToWire(install, Buffer.from(JSON.stringify(source)));
      assert.deepEqual(JSON.parse(wireToJson(install, wire).toString()), JSON.parse(JSON.stringify(source)));
    }),
    { numRuns: 300 },
  );
});

test('base64 in every usual form, in every bytes field', () => {
  const bytes = Buffer.from('apiVersion: v1\nkind: ConfigMap\n\xff\xfe\xfb', 'latin1');
  const plain = bytes.toString('base64');
  const lines = (end: string) => plain.replace(/.{12}/g, line => line + end);
  const forms = [
    plain,
    bytes.toString('base64url'),
    plain.replace(/=+$/, ''),
    lines('\n'),
    lines('\r\n'),
    `${plain}\n`,
  ];
  const type = messageType('appscode.swift.v2.InstallReleaseRequest');
  const bytesFields = type.fields.filter(field => field.type === 'bytes');
  assert.ok(bytesFields.length >= 4);
  for (const form of forms) {
    for (const { name, number } of bytesFields)
      assert.deepEqual(
        jsonToWire(type, Buffer.from(JSON.stringify({ [name]: form }))),
        new WireWriter().bytesField(number, bytes).finish(),
      );
    const nested = { chart: { templates: [{ data: form }], files: [{ value: form }] } };
    const { chart } = decodeMessage(
      'appscode.swift.v2.InstallReleaseRequest',
      jsonToWire(type, Buffer.from(JSON.stringify(nested))),
    );
    assert.deepEqual([chart?.templates[0]?.data, chart?.files[0]?.value], [bytes, bytes]);
  }
  for (const form of [
    'ab*d',
    'ab=d',
    'ab cd',
    'abc===',
    'é',
    'abcde',
    'abc\ndef\n123',
    'ab=',
    'abc==',
    'abcd=',
    '=',
  ])
    assert.throws(() => jsonToWire(type, Buffer.from(JSON.stringify({ ca_bundle: form }))), { code: 3 });
});

test('the number of values is bounded while they are read', () => {
  const type = messageType('appscode.swift.v2.InstallReleaseRequest');
  for (const many of ['[[]', '[1', '[{}', '[null', '[{"a":1}']) {
    const json = `{"values_json":{"a":${many}${`,${many.slice(1)}`.repeat(limits.maxNodes)}]}}`;
    const ms = cpuMsOf(() => assert.throws(() => jsonToWire(type, Buffer.from(json)), { code: 8 }));
    assert.ok(ms < 3000, many);
  }
});

test('what holds much at great depth costs about its size, not its size times its depth', () => {
  const text = 'x'.repeat(4_000_000);
  const nested = (levels: number) =>
    Buffer.from(
      `{"chart":${'{"dependencies":['.repeat(levels)}{"values":{"raw":"${text}"}}${']}'.repeat(levels)}}`,
    );
  const cpuMs = (levels: number) => {
    const json = nested(levels);
    const times = Array.from({ length: 5 }, () => {
      const { user } = process.threadCpuUsage();
      jsonToWire(messageType('appscode.swift.v2.InstallReleaseRequest'), json);
      return (process.threadCpuUsage().user - user) / 1000;
    });
    return Math.min(...times);
  };
  const [shallow, deep] = [cpuMs(1), cpuMs(90)];
  assert.ok(deep < shallow * 4 + 20, `${deep} ms at 90 levels, ${shallow} ms at one`);
});
