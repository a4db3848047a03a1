import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { encodeMessage, WireWriter } from '../codec/index.ts';
import { checkTillerRequest } from './tiller-request.ts';

const metadataAsVarint = Buffer.from([0x08, 1]);
const metadataUnderWideTag = Buffer.from([0x8a, 0x80, 0x80, 0x80, 0x10, 0]);
const inChart = (number: number, chart: Uint8Array) => new WireWriter().bytesField(number, chart).finish();
const dependency = (chart: Uint8Array) =>
  new WireWriter().bytesField(1, Buffer.alloc(0)).bytesField(3, chart).finish();

/** Bytes that end a Tiller 2.17.0, by method. */
const killers: readonly (readonly [string, string, Uint8Array])[] = [
  ['ListReleases', 'a negative limit', new WireWriter().intField(1, -1).finish()],
  ['ListReleases', 'limit 5, then -1', new WireWriter().intField(1, 5).intField(1, -1).finish()],
  [
    'ListReleases',
    'limit -1, then 5 under a tag above 32 bits',
    Buffer.from([0x08, ...new Array(9).fill(0xff), 0x01, 0x88, 0x80, 0x80, 0x80, 0x10, 0x05]),
  ],
  ['ListReleases', 'limit under a wrong wire type', Buffer.from([0x0a, 0])],
  ...(['InstallRelease', 'UpdateRelease'] as const).flatMap(method => {
    const number = method === 'InstallRelease' ? 1 : 2;
    const charts = {
      'an empty chart': Buffer.alloc(0),
      'metadata as a varint': metadataAsVarint,
      'metadata under a tag above 32 bits': metadataUnderWideTag,
      'a dependency without metadata': dependency(Buffer.alloc(0)),
      'a dependency with metadata as a varint': dependency(metadataAsVarint),
      'a dependency with metadata under a wide tag': dependency(metadataUnderWideTag),
      'a dependency of a dependency without metadata': dependency(dependency(Buffer.alloc(0))),
    };
    return Object.entries(charts).map(([what, chart]) => [method, what, inChart(number, chart)] as const);
  }),
  [
    'UpdateRelease',
    'a second chart as a varint',
    Buffer.concat([inChart(2, dependency(Buffer.from([0x0a, 0]))), Buffer.from([0x10, 1])]),
  ],
  [
    'UpdateRelease',
    'reuse_values without values',
    encodeMessage('hapi.services.tiller.UpdateReleaseRequest', {
      name: 'a',
      chart: { metadata: {} },
      reuse_values: true,
    }),
  ],
  [
    'UpdateRelease',
    'reuse_values with values as a varint',
    Buffer.concat([
      encodeMessage('hapi.services.tiller.UpdateReleaseRequest', {
        chart: { metadata: {} },
        reuse_values: true,
      }),
      Buffer.from([0x18, 1]),
    ]),
  ],
];

describe('requests that end a Tiller', () => {
  for (const [method, what, wire] of killers)
    test(`${method}: ${what}`, () => {
      assert.throws(() => checkTillerRequest(method, wire), { code: 3 });
    });

  test('what is not one of them is sent, written anew', () => {
    const update = encodeMessage('hapi.services.tiller.UpdateReleaseRequest', {
      name: 'a',
      chart: { metadata: {}, dependencies: [{ metadata: { name: 'd' } }] },
      values: {},
      reuse_values: true,
    });
    assert.deepEqual(checkTillerRequest('UpdateRelease', update), update);
    const list = new WireWriter().intField(1, 5).stringField(99, 'unknown').finish();
    assert.deepEqual([...checkTillerRequest('ListReleases', list)], [0x08, 5]);
    assert.throws(() => checkTillerRequest('NoSuchMethod', list), { code: 12 });
  });
});
