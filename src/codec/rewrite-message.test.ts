import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { cpuMsOf } from '../../test/support/cpu-time.ts';
import type { MessageTypes } from './messages.gen.ts';
import { orderFields, rewriteMessage } from './rewrite-message.ts';
import { decodeMessage, encodeMessage, messageType } from './schema.ts';
import { limits, wireFields } from './wire-format.ts';
import { WireWriter } from './wire-writer.ts';

const install = 'hapi.services.tiller.InstallReleaseRequest';
const rewrite = (name: keyof MessageTypes, wire: Uint8Array) => rewriteMessage(messageType(name), wire);

/** Tags as a hostile client writes them: a valid one for field 1, varint, with bits above the 32nd. */
const wideTags = [
  [0x88, 0x80, 0x80, 0x80, 0x10],
  [0x88, 0x80, 0x80, 0x80, 0x80, 0x01],
  [0x88, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01],
  [0x88, 0x80, 0x80, 0x80, 0x80, 0x00],
  [0xf8, 0xff, 0xff, 0xff, 0x1f],
];

describe('bytes that readers take differently', () => {
  test('tags over 32 bits and field number 0 are refused, at any depth', () => {
    const list = 'hapi.services.tiller.ListReleasesRequest';
    for (const tag of [...wideTags, [0x00], [0x07]]) {
      const wire = Buffer.from([0x08, 1, ...tag, 5]);
      assert.throws(() => rewrite(list, wire), { code: 3 }, `${tag}`);
      const nested = new WireWriter().bytesField(1, wire).finish();
      assert.throws(() => rewrite(install, nested), { code: 3 });
      assert.throws(
        () =>
          rewrite(
            install,
            new WireWriter().bytesField(1, new WireWriter().bytesField(3, wire).finish()).finish(),
          ),
        { code: 3 },
      );
    }
  });

  test('a length over 32 bits is refused', () => {
    const wire = Buffer.from([0x22, 0x81, 0x80, 0x80, 0x80, 0x10, 0x61]);
    assert.throws(() => rewrite(install, wire), { code: 3, message: /a length does not fit 32 bits/ });
  });

  test('every known field is refused with each wire type that is not its own', () => {
    let refused = 0;
    for (const name of [install, 'hapi.chart.Chart', 'hapi.chart.Metadata', 'hapi.chart.Config'] as const) {
      const type = messageType(name);
      for (const field of type.fields) {
        for (const wireType of [0, 1, 2, 5]) {
          if (wireType === field.wireType || (field.packable && wireType === 2)) continue;
          const value = { 0: [1], 1: new Array(8).fill(1), 2: [0], 5: new Array(4).fill(1) }[wireType] ?? [];
          const wire = new WireWriter().tag(field.number, wireType).raw(Buffer.from(value)).finish();
          assert.throws(() => rewriteMessage(type, wire), { code: 3, message: /has a wrong wire type$/ });
          refused++;
        }
      }
    }
    assert.ok(refused > 100, `${refused}`);
  });

  test('unknown fields are dropped, groups refused', () => {
    const wire = new WireWriter().stringField(4, 'a').stringField(99, 'x').intField(536_870_911, 1).finish();
    assert.deepEqual(rewrite(install, wire), new WireWriter().stringField(4, 'a').finish());
    assert.throws(() => rewrite(install, Buffer.from([0x9b, 0x06, 0x9c, 0x06])), { code: 3 });
  });

  test('numbers get their shortest form and the bits of their type', () => {
    const rollback = 'hapi.services.tiller.RollbackReleaseRequest';
    // dry_run = 2^40, version = 5 + 2^33, timeout = 7 in ten bytes
    const wire = Buffer.from([
      0x10, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01, 0x20, 0x85, 0x80, 0x80, 0x80, 0x20, 0x30, 0x87, 0x80,
      0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00,
    ]);
    assert.deepEqual([...rewrite(rollback, wire)], [0x10, 1, 0x20, 5, 0x30, 7]);
    const negative = encodeMessage(rollback, { version: -3, timeout: -1 });
    assert.deepEqual(rewrite(rollback, negative), negative);
  });

  test('what may come once comes once: the last scalar, and messages joined', () => {
    const parts = [
      encodeMessage(install, {
        name: 'first',
        chart: { metadata: { name: 'x' }, templates: [{ name: 'a' }] },
      }),
      encodeMessage(install, {
        name: 'last',
        chart: { metadata: { version: '1' }, templates: [{ name: 'b' }] },
      }),
    ];
    const wire = rewrite(install, Buffer.concat(parts));
    assert.deepEqual(
      [...wireFields(wire)].map(({ number }) => number),
      [1, 4],
    );
    const { name, chart } = decodeMessage(install, wire);
    assert.equal(name, 'last');
    // golang/protobuf joins them as well; protobufjs takes the last
    assert.deepEqual([chart?.metadata?.name, chart?.metadata?.version], ['x', '1']);
    assert.deepEqual(
      chart?.templates.map(template => template.name),
      ['a', 'b'],
    );
  });

  test('packed and loose numbers, and maps whose entries are odd', () => {
    const list = 'hapi.services.tiller.ListReleasesRequest';
    const codes = (wire: number[]) => decodeMessage(list, rewrite(list, Buffer.from(wire))).status_codes;
    assert.deepEqual(codes([0x32, 3, 1, 2, 3]), ['DEPLOYED', 'DELETED', 'SUPERSEDED']);
    assert.deepEqual(codes([0x30, 1, 0x32, 1, 2, 0x30, 3]), ['DEPLOYED', 'DELETED', 'SUPERSEDED']);
    const entry = new WireWriter()
      .stringField(2, 'v')
      .stringField(1, 'a')
      .stringField(1, 'b')
      .stringField(3, 'x');
    const metadata = new WireWriter().bytesField(16, entry.finish()).finish();
    const rewritten = rewrite('hapi.chart.Metadata', metadata);
    assert.deepEqual({ ...decodeMessage('hapi.chart.Metadata', rewritten).annotations }, { b: 'v' });
  });
});

describe('bounds', () => {
  test('the number of values, loose or packed, before anything is made of them', () => {
    const list = 'hapi.services.tiller.ListReleasesRequest';
    const loose = Buffer.alloc(2 * (limits.maxNodes + 1), Buffer.from([0x30, 1]));
    assert.throws(() => rewrite(list, loose), { code: 8 });
    const packed = new WireWriter().bytesField(6, Buffer.alloc(limits.maxNodes + 1, 1)).finish();
    assert.throws(() => rewrite(list, packed), { code: 8 });
  });

  test('messages out of order at every depth cost no more than their size', () => {
    // each level holds its dependency before its metadata: a reader that starts again at each level needs 2^99 steps
    let wire: Buffer = Buffer.alloc(0);
    for (let depth = 0; depth < 99; depth++)
      wire = new WireWriter().bytesField(3, wire).bytesField(1, Buffer.alloc(0)).finish();
    const ms = cpuMsOf(() => {
      const ordered = orderFields(messageType('hapi.chart.Chart'), wire);
      assert.equal(ordered.length, wire.length);
    });
    assert.ok(ms < 1000);
    const deeper = new WireWriter().bytesField(3, new WireWriter().bytesField(3, wire).finish()).finish();
    assert.throws(() => rewrite('hapi.chart.Chart', deeper), { code: 3, message: /nests deeper than 100/ });
  });
});

test('whatever the bytes: what comes out means what protobufjs reads, and comes out the same again', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 20 });
  const metadata = fc.record({
    name: text,
    keywords: fc.array(text),
    deprecated: fc.boolean(),
    maintainers: fc.array(fc.record({ name: text })),
    annotations: fc.dictionary(
      text.filter(key => key !== '__proto__'),
      text,
    ),
  });
  const request = fc.record(
    {
      chart: fc.record(
        { metadata, templates: fc.array(fc.record({ name: text, data: fc.uint8Array() })) },
        { requiredKeys: [] },
      ),
      values: fc.record({ raw: text }),
      name: text,
      timeout: fc.integer(),
      wait: fc.boolean(),
    },
    { requiredKeys: [] },
  );
  const parts = fc
    .array(request, { minLength: 1, maxLength: 3 })
    .map(several => Buffer.concat(several.map(one => encodeMessage(install, one))));
  fc.assert(
    fc.property(request, message => {
      const wire = encodeMessage(install, message);
      const rewritten = rewrite(install, wire);
      assert.deepEqual(decodeMessage(install, rewritten), decodeMessage(install, wire));
      assert.deepEqual(rewrite(install, rewritten), rewritten);
    }),
    { numRuns: 500 },
  );
  const mutated = fc
    .tuple(parts, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 6 }))
    .map(([wire, changes]) => {
      const bytes = Buffer.from(wire);
      for (const [place, byte] of changes) if (bytes.length > 0) bytes[place % bytes.length] = byte;
      return bytes;
    });
  fc.assert(
    fc.property(mutated, wire => {
      let rewritten: Buffer;
      try {
        rewritten = rewrite(install, wire);
      } catch (error) {
        assert.equal((error as { code?: number }).code, 3);
        return;
      }
      assert.deepEqual(rewrite(install, rewritten), rewritten);
    }),
    { numRuns: 3000 },
  );
});
