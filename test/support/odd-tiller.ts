/**
 * A Tiller that answers what no Tiller would: odd statuses, headers and trailers, broken messages, resets, GOAWAY, and
 * frames that are none. Often enough it answers properly, so that the connection stays open for the next fault.
 */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { toFrame } from '../../src/protocol/index.ts';
import type { Dice } from './dice.ts';
import {
  dataFrame,
  FrameScanner,
  flags,
  frame,
  frameType,
  headersFrame,
  type ReadFrame,
  resetFrame,
  settingsAck,
  settingsFrame,
  settingsOf,
} from './http2-frames.ts';
import { tillerVersion } from './stub-tiller.ts';

type Headers = (readonly [string, string])[];

const statuses = ['999', '600', '100', '101', '103', '0', '42', '-1', 'abc', '', '204', '401', '503', '2000'];
const grpcStatuses = ['0', '2', '16', '17', '999', '-1', 'abc', '', '0x2', '1e3', ' 2', '4294967296'];
const messages = [
  '',
  '%',
  '%zz',
  '%E2%28',
  'x'.repeat(10_000),
  '\x80\xff',
  'release: "a" not found ',
  '\u0001',
];
const oddHeaders: Headers = [
  ['http2-settings', 'AAMAAABkAAQAAP__'],
  ['connection', 'keep-alive, http2-settings'],
  ['transfer-encoding', 'chunked'],
  ['upgrade', 'h2c'],
  ['keep-alive', 'timeout=1'],
  ['te', 'gzip'],
  ['host', 'x'],
  [':path', '/'],
  [':status', '200'],
  [':nothing', 'x'],
  ['X-Upper', 'x'],
  ['', 'x'],
  ['a b', 'x'],
  ['nul', 'a\0b'],
  ['line', 'a\r\nb: c'],
  ['spaces', '  x  '],
  ['content-length', '-1'],
  ['content-length', '7'],
  ['content-encoding', 'gzip'],
  ['set-cookie', 'a=b'],
  ['location', 'http://evil.example'],
  ['grpc-encoding', 'gzip'],
  ['grpc-encoding', 'nothing'],
  ['grpc-accept-encoding', ',,,'],
  ['grpc-status', '5'],
  ['grpc-status', 'x'],
  ['grpc-message', '%'],
  ['grpc-status-details-bin', '***'],
  ['grpc-retry-pushback-ms', '-1'],
  ['grpc-previous-rpc-attempts', 'x'],
  ['x-bin', 'AAA'],
  ['x-long', 'y'.repeat(9_000)],
  ['__proto__', 'x'],
  ['constructor', 'x'],
];
const contentTypes = ['application/grpc', 'application/grpc', 'text/html', 'application/grpc-web', ''];

/** How it treats a call; each is a kind of fault. */
const kinds = {
  proper: (_dice: Dice, id: number) => answer(id, toFrame(tillerVersion)),
  status(dice: Dice, id: number) {
    const head: Headers = [[':status', dice.pick(statuses)], ...contentType(dice)];
    return [headersFrame(id, head), dataFrame(id, toFrame(tillerVersion)), trailers(dice, id)];
  },
  headers(dice: Dice, id: number) {
    const head: Headers = [[':status', '200'], ...contentType(dice), ...some(dice)];
    return [headersFrame(id, head), dataFrame(id, toFrame(tillerVersion)), trailers(dice, id)];
  },
  trailers(dice: Dice, id: number) {
    const odd = headersFrame(id, [['grpc-status', dice.pick(grpcStatuses)], ...some(dice)], flags.endStream);
    return [headersFrame(id, ok), dataFrame(id, toFrame(tillerVersion)), odd];
  },
  trailersOnly(dice: Dice, id: number) {
    const head: Headers = [
      ...ok,
      ['grpc-status', dice.pick(grpcStatuses)],
      ['grpc-message', dice.pick(messages)],
    ];
    return [headersFrame(id, [...head, ...some(dice)], flags.endStream)];
  },
  noTrailers: (_dice: Dice, id: number) => [
    headersFrame(id, ok),
    dataFrame(id, toFrame(tillerVersion), flags.endStream),
  ],
  headersTwice: (_dice: Dice, id: number) => [
    headersFrame(id, ok),
    headersFrame(id, ok),
    ...answer(id, nothing),
  ],
  interim(dice: Dice, id: number) {
    const interim = headersFrame(id, [[':status', dice.pick(['100', '103', '101'])], ...some(dice)]);
    return [interim, interim, ...answer(id, toFrame(tillerVersion))];
  },
  garbledMessage: (dice: Dice, id: number) => answer(id, toFrame(dice.bytes(dice.below(300)))),
  mutatedMessage: (dice: Dice, id: number) => answer(id, toFrame(dice.mutate(tillerVersion))),
  garbledFrame: (dice: Dice, id: number) => answer(id, dice.mutate(toFrame(tillerVersion))),
  truncated: (dice: Dice, id: number) => answer(id, toFrame(tillerVersion).subarray(0, dice.below(30))),
  hugePrefix: (dice: Dice, id: number) =>
    answer(id, Buffer.from([dice.below(3), 0xff, 0xff, 0xff, 0xff, 1, 2])),
  compressed(dice: Dice, id: number) {
    const bytes = toFrame(dice.oneIn(2) ? dice.bytes(40) : tillerVersion);
    bytes[0] = dice.pick([1, 1, 2, 255]);
    const head: Headers = [...ok, ['grpc-encoding', dice.pick(['gzip', 'deflate', 'br', 'identity', ''])]];
    return [headersFrame(id, head), dataFrame(id, bytes), trailers(dice, id)];
  },
  manyMessages: (dice: Dice, id: number) =>
    answer(
      id,
      Buffer.concat(Array.from({ length: 1 + dice.below(200) }, () => toFrame(dice.bytes(dice.below(20))))),
    ),
  dataFirst: (dice: Dice, id: number) => [dataFrame(id, dice.bytes(20)), ...answer(id, nothing)],
  reset: (dice: Dice, id: number) => [resetFrame(id, dice.below(20))],
  resetInside: (dice: Dice, id: number) => [
    headersFrame(id, ok),
    dataFrame(id, toFrame(tillerVersion).subarray(0, 9)),
    resetFrame(id, dice.below(20)),
  ],
  silence: (_dice: Dice, id: number) => [headersFrame(id, ok)],
  priorities: (dice: Dice, id: number) => [
    frame(frameType.priority, 0, id, dice.bytes(5)),
    frame(frameType.ping, 0, 0, dice.bytes(8)),
    frame(0x0a, 0, id, dice.bytes(12)), // ALTSVC
    frame(0x0c, 0, 0, dice.bytes(12)), // ORIGIN
    frame(14 + dice.below(240), dice.below(256), id, dice.bytes(dice.below(40))),
    ...answer(id, toFrame(tillerVersion)),
  ],
} as const;

/** These mostly end the connection. */
const endings = {
  goaway(dice: Dice, id: number) {
    const payload = Buffer.alloc(8);
    payload.writeUInt32BE(dice.pick([0, id, 2 ** 31 - 1]), 0);
    payload.writeUInt32BE(dice.below(20), 4);
    return [frame(frameType.goaway, 0, 0, Buffer.concat([payload, dice.bytes(dice.below(20))]))];
  },
  garbledHeaders: (dice: Dice, id: number) => [
    frame(frameType.headers, flags.endHeaders, id, dice.bytes(1 + dice.below(60))),
  ],
  hugeHeaders: (_dice: Dice, id: number) => [headersFrame(id, [...ok, ['x-huge', 'z'.repeat(80_000)]])],
  push: (dice: Dice, id: number) => [frame(frameType.push, flags.endHeaders, id, dice.bytes(12))],
  settings: (dice: Dice) => [
    settingsOf([
      [dice.below(10), dice.next()],
      [4, dice.next()],
    ]),
  ],
  window: (_dice: Dice, id: number) => [
    frame(frameType.windowUpdate, 0, id, Buffer.from([0x7f, 255, 255, 255])),
    frame(frameType.windowUpdate, 0, 0, Buffer.from([0x7f, 255, 255, 255])),
  ],
  otherStream: (dice: Dice) => answer(2 + dice.below(5000), nothing),
  oddFrame: (dice: Dice) => [
    frame(dice.below(12), dice.below(256), dice.below(7), dice.bytes(dice.below(30))),
  ],
  noise: (dice: Dice) => [dice.bytes(1 + dice.below(100))],
} as const;

/** The kinds of faults, by name. */
export const faults: readonly string[] = [...Object.keys(kinds), ...Object.keys(endings)];

const ok: Headers = [
  [':status', '200'],
  ['content-type', 'application/grpc'],
];
const nothing = Buffer.alloc(0);

function answer(id: number, data: Uint8Array): Buffer[] {
  return [
    headersFrame(id, ok),
    dataFrame(id, data),
    headersFrame(id, [['grpc-status', '0']], flags.endStream),
  ];
}

function trailers(dice: Dice, id: number): Buffer {
  const status: Headers = [['grpc-status', dice.oneIn(2) ? '0' : dice.pick(grpcStatuses)]];
  return headersFrame(id, [...status, ...(dice.oneIn(3) ? some(dice) : [])], flags.endStream);
}

function contentType(dice: Dice): Headers {
  const type = dice.pick(contentTypes);
  return type === '' ? [] : [['content-type', type]];
}

function some(dice: Dice): Headers {
  return Array.from({ length: dice.below(4) }, () => dice.pick(oddHeaders));
}

export interface OddPeer {
  readonly port: number;
  /** How many requests it has answered so far, however. */
  readonly answered: number;
  /** Its answers by kind. */
  readonly counts: ReadonlyMap<string, number>;
  stop(): Promise<void>;
}

export interface OddTillerOptions {
  /** The only fault to make, and in every answer but that about the version. Default: every fault at random. */
  readonly only?: string;
  /** How rarely an answer is of those that mostly end the connection. Default: 12. */
  readonly endingOneIn?: number;
}

export async function startOddTiller(dice: Dice, options: OddTillerOptions = {}): Promise<OddPeer> {
  const counts = new Map<string, number>();
  const count = (kind: string) => counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return startPeer(counts, socket => {
    const scanner = new FrameScanner();
    let begun = false;
    if (!options.only && dice.oneIn(30)) {
      count('greeting');
      socket.write(dice.oneIn(2) ? dice.bytes(30) : dice.mutate(settingsFrame));
    } else socket.write(settingsFrame);
    socket.on('data', chunk => {
      const bytes = begun ? chunk : chunk.subarray(24); // the client's preface
      begun = true;
      for (const received of scanner.push(bytes)) {
        for (const part of reply(dice, received, options, count)) socket.write(part);
        if (options.only || received.kind !== frameType.headers || !dice.oneIn(60)) continue;
        count('closing');
        if (dice.oneIn(2)) socket.resetAndDestroy();
        else socket.end();
      }
    });
  });
}

function reply(
  dice: Dice,
  received: ReadFrame,
  { only, endingOneIn = 12 }: OddTillerOptions,
  count: (kind: string) => void,
): Buffer[] {
  const { kind, bits, stream, payload } = received;
  if (kind === frameType.settings && bits === 0) return [settingsAck];
  if (kind === frameType.ping && bits === 0) return [frame(frameType.ping, 1, 0, payload)];
  if (kind !== frameType.headers) return [];
  // the first call on a connection asks for the version: without it there would be no others
  const isFirst = stream === 1 && (only !== undefined || !dice.oneIn(6));
  const table = !isFirst && dice.oneIn(endingOneIn) ? endings : kinds;
  const all: Readonly<Record<string, (dice: Dice, id: number) => Buffer[]>> = { ...kinds, ...endings };
  const name = isFirst ? 'proper' : (only ?? dice.pick(Object.keys(table)));
  count(name);
  return all[name]!(dice, stream);
}

/** A TCP server on loopback that treats each connection as it is told. */
export async function startPeer(
  counts: ReadonlyMap<string, number>,
  serve: (socket: Socket) => void,
): Promise<OddPeer> {
  const sockets = new Set<Socket>();
  const server: Server = createServer(socket => {
    sockets.add(socket);
    socket.on('error', () => {}).once('close', () => sockets.delete(socket));
    serve(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    counts,
    get answered() {
      return [...counts.values()].reduce((sum, count) => sum + count, 0);
    },
    async stop() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
