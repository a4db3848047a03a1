import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { decodeMessage, encodeMessage, messageType } from './schema.ts';
import { wireToJson } from './wire-to-json.ts';
import { WireWriter } from './wire-writer.ts';

const toJson = (name: string, wire: Uint8Array) => JSON.parse(wireToJson(messageType(name), wire).toString());

describe('the dialect of swift', () => {
  test('names as in the .proto file, defaults left out, empty messages kept', () => {
    const wire = encodeMessage('hapi.release.Release', {
      name: 'alpha',
      info: { status: {}, Description: 'Install complete' },
      chart: { metadata: { appVersion: '1.0', deprecated: false } },
      version: 0,
    });
    assert.deepEqual(toJson('hapi.release.Release', wire), {
      name: 'alpha',
      info: { status: {}, Description: 'Install complete' },
      chart: { metadata: { appVersion: '1.0' } },
    });
  });

  test('64-bit integers are strings, 32-bit ones numbers, also negative', () => {
    const wire = new WireWriter()
      .intField(1, -5n)
      .intField(2, -7)
      .intField(3, 2n ** 62n)
      .finish();
    assert.deepEqual(toJson('appscode.swift.v2.SummarizeReleasesResponse', wire), {
      count: '-5',
      total: String(2n ** 62n),
    });
    assert.deepEqual(toJson('hapi.release.Release', new WireWriter().intField(7, -7).finish()), {
      version: -7,
    });
  });

  test('enums are names, and numbers where there is no name', () => {
    const run = (status: number) =>
      toJson('hapi.release.TestRun', new WireWriter().intField(2, status).finish());
    assert.deepEqual(run(2), { status: 'FAILURE' });
    assert.deepEqual(run(77), { status: 77 });
  });

  test('enums and numbers in lists, packed and not', () => {
    const packed = Buffer.from([0x2a, 3, 1, 0, 11]);
    const loose = Buffer.from([0x28, 1, 0x28, 0, 0x2a, 1, 11]);
    for (const wire of [packed, loose]) {
      assert.deepEqual(toJson('hapi.release.Hook', wire), {
        events: ['PRE_INSTALL', 'UNKNOWN', 'CRD_INSTALL'],
      });
    }
    assert.deepEqual(toJson('hapi.release.Hook', Buffer.from([0x2a, 0])), { events: [] });
  });

  test('bytes are base64, and an Any is the plain message', () => {
    const wire = encodeMessage('hapi.chart.Chart', {
      templates: [{ name: 't', data: Buffer.from([0xff, 0xfe, 0x00]) }],
      files: [{ type_url: 'config/blob.bin', value: Buffer.from('hi') }],
    });
    assert.deepEqual(toJson('hapi.chart.Chart', wire), {
      templates: [{ name: 't', data: '//4A' }],
      files: [{ type_url: 'config/blob.bin', value: 'aGk=' }],
    });
  });

  test('maps are objects, also with messages and absent values', () => {
    const wire = encodeMessage('hapi.chart.Config', { values: { a: { value: '1' }, b: {} } });
    assert.deepEqual(toJson('hapi.chart.Config', wire), { values: { a: { value: '1' }, b: {} } });
    const bare = new WireWriter().bytesField(16, new WireWriter().stringField(1, 'key').finish()).finish();
    assert.deepEqual(toJson('hapi.chart.Metadata', bare), { annotations: { key: '' } });
  });

  test('strings are escaped as JSON asks, in every script', () => {
    const text = '"quoted" \\ \n\r\t\b\f\u0001\u001f é 漢 😀 \u2028 </script>';
    const wire = encodeMessage('hapi.release.TestRun', { name: text.repeat(300) });
    assert.deepEqual(toJson('hapi.release.TestRun', wire), { name: text.repeat(300) });
  });

  test('bytes that are not UTF-8 become U+FFFD in a string', () => {
    const wire = new WireWriter().bytesField(1, Buffer.from([0x61, 0xff, 0x62])).finish();
    assert.deepEqual(toJson('hapi.release.TestRun', wire), { name: 'a\ufffdb' });
  });
});

describe('legal but unusual bytes', () => {
  const type = 'hapi.release.Release';

  test('the last of a scalar counts, messages merge, scattered entries come together', () => {
    const wire = Buffer.concat([
      encodeMessage(type, { name: 'first', hooks: [{ name: 'h1' }], info: { Description: 'kept' } }),
      encodeMessage(type, { name: 'last', hooks: [{ name: 'h2' }], info: { status: { notes: 'n' } } }),
    ]);
    assert.deepEqual(toJson(type, wire), {
      name: 'last',
      hooks: [{ name: 'h1' }, { name: 'h2' }],
      info: { Description: 'kept', status: { notes: 'n' } },
    });
  });

  test('unknown fields and wrong wire types are skipped', () => {
    const wire = new WireWriter()
      .stringField(99, 'new')
      .intField(1, 5)
      .stringField(1, 'alpha')
      .tag(98, 1)
      .double(1.5)
      .finish();
    assert.deepEqual(toJson(type, wire), { name: 'alpha' });
  });
});

describe('bytes that are no message', () => {
  const malformed = { name: 'GatewayError', message: /malformed protobuf message/ };

  test('cut off at any place: an error or a shorter message, never anything else', () => {
    const whole = encodeMessage('hapi.release.Release', {
      name: 'alpha',
      chart: { metadata: { name: 'x' } },
      version: 300,
    });
    for (let length = 0; length < whole.length; length++) {
      try {
        toJson('hapi.release.Release', whole.subarray(0, length));
      } catch (error) {
        assert.match((error as Error).message, malformed.message);
      }
    }
  });

  test('deeper than 100', () => {
    let wire: Buffer = Buffer.alloc(0);
    for (let depth = 0; depth < 101; depth++) wire = new WireWriter().bytesField(3, wire).finish();
    assert.throws(() => toJson('hapi.chart.Chart', wire), malformed);
    assert.doesNotThrow(() => toJson('hapi.chart.Chart', wire.subarray(2 + (wire.length > 129 ? 1 : 0))));
  });

  test('random bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), bytes => {
        for (const name of ['hapi.release.Release', 'hapi.chart.Metadata', 'hapi.release.Hook']) {
          try {
            toJson(name, bytes);
          } catch (error) {
            assert.match((error as Error).message, malformed.message);
          }
        }
      }),
      { numRuns: 3000 },
    );
  });
});

test('what protobufjs reads is what this writes, for whatever a chart holds', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 60 });
  const chart = fc.record({
    metadata: fc.record({
      name: text,
      keywords: fc.array(text),
      deprecated: fc.boolean(),
      annotations: fc.dictionary(
        text.filter(key => key !== '__proto__'),
        text,
      ),
    }),
    templates: fc.array(fc.record({ name: text, data: fc.uint8Array({ maxLength: 80 }) })),
    values: fc.record({ raw: text }),
  });
  fc.assert(
    fc.property(chart, source => {
      const wire = encodeMessage('hapi.chart.Chart', source);
      const json = toJson('hapi.chart.Chart', wire);
      const decoded = decodeMessage('hapi.chart.Chart', wire);
      assert.deepEqual(
        json.templates ?? [],
        decoded.templates.map(({ name, data }) => ({
          ...(name && { name }),
          ...(data.length > 0 && { data: Buffer.from(data).toString('base64') }),
        })),
      );
      assert.deepEqual(json.metadata.keywords ?? [], decoded.metadata?.keywords);
      assert.deepEqual({ ...json.metadata.annotations }, { ...decoded.metadata?.annotations });
      assert.equal(json.values.raw ?? '', decoded.values?.raw);
    }),
    { numRuns: 300 },
  );
});
