/** Holds fuzzed conversations with a gateway, many at a time. */
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Dice } from './dice.ts';
import type { Conversation } from './fuzz-requests.ts';
import { FrameScanner, flags, frameType, settingsAck } from './http2-frames.ts';

export interface Sent {
  conversations: number;
  inputs: number;
  requests: number;
  answers: number;
  /** Connections that could not be opened. */
  refused: number;
}

export interface SendOptions {
  readonly port: number;
  /** Sends until that many inputs are out. */
  readonly inputs: number;
  readonly dice: Dice;
  readonly next: () => Conversation;
  /** Whether to send no more, for the gateway is gone. */
  readonly stop: () => boolean;
  /** How long an answer takes at the moment, in ms: a busy machine is waited for. */
  readonly latencyMs: () => number;
  readonly concurrency?: number;
  /** One in so many connections uses TLS. */
  readonly tlsOneIn?: number;
}

/**
 * A connection on which nothing has come for so long will bring nothing any more: its peer waits for the rest. On a busy
 * machine it is twice the latency.
 */
const quietMs = 1_000;

/** What is sent last mostly ends the connection at once, or is never answered. */
const tailMs = 100;

/** Nothing may take longer, whatever was sent. */
const longestMs = 10_000;

export async function sendAll(options: SendOptions): Promise<Sent> {
  const { concurrency = 16, tlsOneIn = 40 } = options;
  const sent: Sent = { conversations: 0, inputs: 0, requests: 0, answers: 0, refused: 0 };
  const work = async () => {
    while (sent.inputs < options.inputs && !options.stop()) {
      const conversation = options.next();
      sent.conversations++;
      sent.inputs += conversation.inputs;
      sent.requests += conversation.requests;
      const answers = await hold(options, conversation, options.dice.oneIn(tlsOneIn));
      if (answers === undefined) sent.refused++;
      else sent.answers += answers;
    }
  };
  await Promise.all(Array.from({ length: concurrency }, work));
  return sent;
}

/** @returns the number of answers; undefined where no connection could be opened */
function hold(
  { port, dice, latencyMs }: SendOptions,
  conversation: Conversation,
  tls: boolean,
): Promise<number | undefined> {
  const { protocol, bytes, requests } = conversation;
  let { tail } = conversation;
  const { promise, resolve } = Promise.withResolvers<number | undefined>();
  const target = { port, host: '127.0.0.1' };
  const alpn = protocol === 'http2' ? ['h2'] : ['http/1.1'];
  const socket: Socket = tls
    ? connectTls({ ...target, rejectUnauthorized: false, ALPNProtocols: alpn })
    : connect(target);
  const count = protocol === 'http2' ? countHttp2(socket) : countHttp1();
  let answers = 0;
  let isOpen = false;
  const goOn = () => {
    if (!tail) return void socket.destroy();
    socket.write(tail);
    tail = undefined;
    clearTimeout(timer);
    timer = setTimeout(goOn, tailMs);
  };
  let timer = setTimeout(goOn, Math.max(quietMs, 2 * latencyMs()));
  const last = setTimeout(() => socket.destroy(), longestMs);
  socket
    .on('error', () => {})
    .once('close', () => {
      clearTimeout(timer);
      clearTimeout(last);
      resolve(isOpen ? answers : undefined);
    });
  socket.once(tls ? 'secureConnect' : 'connect', () => {
    isOpen = true;
    timer.refresh();
    socket.write(bytes);
    if (dice.oneIn(20)) socket.end();
    else if (dice.oneIn(50))
      setImmediate(() => (tls || socket.destroyed ? socket.destroy() : socket.resetAndDestroy()));
  });
  socket.on('data', chunk => {
    timer.refresh();
    answers += count(chunk);
    if (answers >= requests && requests > 0) goOn();
  });
  return promise;
}

function countHttp1(): (chunk: Buffer) => number {
  return chunk => {
    let answers = 0;
    for (let at = chunk.indexOf('HTTP/1.1 '); at >= 0; at = chunk.indexOf('HTTP/1.1 ', at + 9)) answers++;
    return answers;
  };
}

function countHttp2(socket: Socket): (chunk: Buffer) => number {
  const scanner = new FrameScanner();
  return chunk => {
    let answers = 0;
    for (const { kind, bits } of scanner.push(chunk)) {
      const ends = (kind === frameType.data || kind === frameType.headers) && (bits & flags.endStream) !== 0;
      if (ends || kind === frameType.reset) answers++;
      else if (kind === frameType.settings && bits === 0) socket.write(settingsAck);
    }
    return answers;
  };
}
