/**
 * An API server, with a member's gateway and a Tiller behind it, that answers what none would: over plain HTTP/1.1, by
 * hand, so that also broken framing can be sent.
 */
import { createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import type { Dice } from './dice.ts';
import { frame, settingsFrame } from './http2-frames.ts';
import { type OddPeer, startPeer } from './odd-tiller.ts';

const statusLines = [
  'HTTP/1.1 200 OK',
  'HTTP/1.1 200 OK',
  'HTTP/1.1 200 OK',
  'HTTP/1.1 999 What',
  'HTTP/1.1 600 Odd',
  'HTTP/1.1 100 Continue',
  'HTTP/1.1 101 Switching Protocols',
  'HTTP/1.1 103 Early Hints',
  'HTTP/1.1 204 No Content',
  'HTTP/1.1 304 Not Modified',
  'HTTP/1.1 307 Temporary Redirect',
  'HTTP/1.1 401 Unauthorized',
  'HTTP/1.1 403 Forbidden',
  'HTTP/1.1 500 Internal Server Error',
  'HTTP/1.1 503 Service Unavailable',
  'HTTP/1.1 000 Zero',
  'HTTP/1.1 20 Short',
  'HTTP/2.0 200 OK',
  'HTTP/0.9 200 OK',
  'ICY 200 OK',
];
const oddHeaders = [
  'X-Request-Id: member',
  'X-Request-Id: member',
  'Content-Type: application/json',
  'Content-Type: text/html',
  'Content-Type: application/x-ndjson',
  'Content-Encoding: gzip',
  'Content-Encoding: nothing',
  'HTTP2-Settings: AAMAAABk',
  'Connection: close',
  'Connection: x-request-id, content-length',
  'Upgrade: websocket',
  'Transfer-Encoding: chunked',
  'Transfer-Encoding: gzip, chunked',
  'Transfer-Encoding: identity',
  'Content-Length: 5',
  'Content-Length: 5, 5',
  'Content-Length: -1',
  'Content-Length: 99999999999999999999',
  'Trailer: x',
  'Set-Cookie: a=b',
  'Refresh: 0; url=http://evil.example',
  'Location: http://evil.example/',
  'Etag: "\x80"',
  'Warning: \xff\xfe',
  'Retry-After: soon',
  'Keep-Alive: timeout=0',
  `X-Long: ${'y'.repeat(20_000)}`,
  'No colon',
  ': no name',
  'Bad\0: x',
  'Cache-Control: a\0b',
];
const bodies = [
  '{"Version":{"sem_ver":"v2.17.0"}}',
  '{"releases":[{"name":"a"}]}',
  '{"result":{"msg":"RUNNING"}}\n{"error":{"code":5}}\n',
  '{"result":',
  '{"code":5,"message":"no"}',
  '{"code":0,"message":{}}',
  '{"kind":"Status","message":7}',
  '{"kind":"Status","message":"no"}',
  'null',
  '[]',
  '"x"',
  '{"items":null}',
  '{"items":[{}]}',
  '{"error":null}',
  `${'['.repeat(5000)}`,
  `${'{"a":'.repeat(500)}1`,
  '<html>',
  '\x1f\x8b\x08\x00garbage',
  '',
];
const pods = JSON.stringify({
  items: [
    {
      metadata: { name: 'tiller', namespace: 'kube-system' },
      status: { podIP: '127.0.0.1', conditions: [{ type: 'Ready', status: 'True' }] },
    },
  ],
});

/** Answers as a hostile API server would; each request on a connection gets an answer of its own. */
export async function startOddApiServer(dice: Dice): Promise<OddPeer> {
  const counts = new Map<string, number>();
  const count = (kind: string) => counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return startPeer(counts, socket => {
    let head = '';
    let isTunnel = false;
    socket.on('data', chunk => {
      if (isTunnel) {
        count('tunnelled');
        return void socket.write(webSocketNoise(dice));
      }
      head += chunk.toString('latin1');
      if (!head.includes('\r\n\r\n')) return;
      const isForward = head.includes('/portforward');
      const [isUpgrade, isPods] = [/\r\nupgrade: websocket/i.test(head), head.includes('/pods?')];
      const key = /\r\nsec-websocket-key: (\S+)/i.exec(head)?.[1] ?? '';
      head = '';
      if (isUpgrade && dice.oneIn(2)) {
        isTunnel = true;
        count(isForward ? 'tunnel' : 'upgrade');
        return void openWebSocket(dice, socket, key);
      }
      if (isPods && !dice.oneIn(3)) {
        count('pods');
        return void socket.write(
          `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${pods.length}\r\n\r\n${pods}`,
        );
      }
      count('answer');
      send(dice, socket);
    });
  });
}

function send(dice: Dice, socket: Socket): void {
  if (dice.oneIn(40)) return void socket.write(dice.bytes(1 + dice.below(100)));
  if (dice.oneIn(40)) return void socket.resetAndDestroy();
  const body = Buffer.from(dice.pick(bodies), 'latin1');
  const lines = [dice.pick(statusLines)];
  for (let n = dice.below(4); n > 0; n--) lines.push(dice.pick(oddHeaders));
  const isChunked = dice.oneIn(4);
  if (isChunked) lines.push('Transfer-Encoding: chunked');
  else if (!dice.oneIn(6))
    lines.push(`Content-Length: ${body.length + (dice.oneIn(10) ? dice.below(9) : 0)}`);
  if (dice.oneIn(2)) lines.push('X-Request-Id: member');
  const head = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
  const framed = isChunked
    ? Buffer.concat([
        Buffer.from(`${body.length.toString(16)}\r\n`),
        body,
        Buffer.from('\r\n0\r\nx: y\r\n\r\n'),
      ])
    : body;
  const whole = Buffer.concat([head, framed]);
  socket.write(dice.oneIn(10) ? dice.mutate(whole) : whole);
  if (dice.oneIn(20)) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'); // nobody asked for it
  if (dice.oneIn(8)) socket.end();
}

function openWebSocket(dice: Dice, socket: Socket, key: string): void {
  const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
  const lines = [
    'HTTP/1.1 101 Switching Protocols',
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Accept: ${dice.oneIn(8) ? 'x' : accept}`,
    ...(dice.oneIn(8) ? [dice.pick(oddHeaders)] : []),
    ...(dice.oneIn(8) ? [] : ['Sec-WebSocket-Protocol: v4.channel.k8s.io']),
  ];
  socket.write(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
  if (dice.oneIn(6)) return void socket.write(webSocketNoise(dice));
  // the port on both channels, then HTTP/2's greeting
  const port = Buffer.from([44134 & 255, 44134 >> 8]);
  socket.write(message(Buffer.from([0, ...port])));
  socket.write(message(Buffer.from([dice.oneIn(8) ? dice.below(5) : 1, ...port])));
  socket.write(message(Buffer.concat([Buffer.from([0]), settingsFrame])));
}

/** A WebSocket frame of a server: binary, whole, unmasked. */
function message(payload: Buffer): Buffer {
  return Buffer.concat([Buffer.from([0x82, payload.length]), payload]);
}

function webSocketNoise(dice: Dice): Buffer {
  const bytes = dice.bytes(1 + dice.below(60));
  switch (dice.below(6)) {
    case 0:
      return bytes;
    case 1:
      return message(Buffer.concat([Buffer.from([dice.below(4)]), bytes]));
    case 2:
      return message(
        Buffer.concat([Buffer.from([0]), frame(dice.below(12), dice.below(256), dice.below(4), bytes)]),
      );
    case 3:
      return Buffer.from([0x88, 2, dice.below(256), dice.below(256)]); // close, with an odd code
    case 4:
      return Buffer.from([0x80 | dice.below(16), dice.pick([0, 126, 127, 0xff]), 0, 0, 0, 0, 0, 0, 0, 9]);
    default:
      return message(Buffer.from([1, ...Buffer.from('an error occurred forwarding 44134')]));
  }
}
