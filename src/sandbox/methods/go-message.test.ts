import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { chartOf } from '../../../test/support/tiller-messages.ts';
import { decodeMessage, encodeMessage, messageType } from '../../codec/index.ts';
import { asGoReads } from './go-message.ts';

const list = messageType('hapi.services.tiller.ListReleasesRequest');
const chart = messageType('hapi.chart.Chart');
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const read = (text: string, type = list): string => hex(asGoReads(type, Buffer.from(text, 'hex')));

test('what golang/protobuf skips is gone, what it reads stays byte for byte', () => {
  const negative = '08ffffffffffffffffff01';
  const cases: [what: string, given: string, expected: string][] = [
    ['a field as it should be', '0805', '0805'],
    ['a tag above 32 bits that other readers take for field 1', `${negative}888080801005`, negative],
    ['a tag of 64 bits', 'f8ffffffffffffffff0105', ''],
    ['a number of a wrong wire type', '0d01000000', ''],
    ['a text of a wrong wire type', '1005', ''],
    ['an unknown field', '0805c03e01', '0805'],
    ['a group, with a group in it', '0b1b1c0c', ''],
    ['packed numbers', '32020102', '32020102'],
    ['nothing', '', ''],
  ];
  for (const [what, given, expected] of cases) assert.equal(read(given), expected, what);
});

test('inside messages too', () => {
  const metadata = { varint: '0805', overflowing: '8a8080801002' + '0a00' };
  assert.equal(read(metadata.varint, chart), '', 'metadata as a varint');
  assert.equal(read(metadata.overflowing, chart), '', 'metadata under a tag above 32 bits');
  assert.equal(read('1a020805', chart), '1a00', 'metadata of a dependency as a varint');
});

test('bytes that are no message', () => {
  for (const bad of ['08', '0aff', '0f', '0c', '0b', 'ffffffffffffffffffff7f', '120502'])
    assert.throws(() => read(bad), { code: 13, message: /^grpc: error unmarshalling request: / }, bad);
});

test('a message as it should be is not even copied, and random bytes never throw anything else', () => {
  const bytes = encodeMessage('hapi.chart.Chart', chartOf('c', { 'a.yaml': 'x' }));
  assert.equal(asGoReads(chart, bytes), bytes);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), random => {
      try {
        const cleaned = asGoReads(chart, random);
        assert.deepEqual(asGoReads(chart, cleaned), cleaned);
        decodeMessage('hapi.chart.Chart', cleaned);
      } catch (error) {
        assert.match(String(error), /grpc: error unmarshalling|not a hapi/);
      }
    }),
  );
});
