/** What hostile clients send: random and mutated HTTP/1, HTTP/2, gRPC, gRPC-Web, upgrades and TLS, from one seed. */
import { toFrame } from '../../src/protocol/index.ts';
import type { Dice } from './dice.ts';
import {
  dataFrame,
  flags,
  frame,
  frameType,
  headersFrame,
  preface,
  requestHeaders,
  resetFrame,
  settingsFrame,
  settingsOf,
} from './http2-frames.ts';

/** The bytes of one connection. */
export interface Conversation {
  readonly protocol: 'http1' | 'http2' | 'bytes';
  readonly bytes: Buffer;
  /** Sent when `bytes` is answered, since it mostly ends the connection. */
  readonly tail?: Buffer | undefined;
  /** Requests and odd frames in it. */
  readonly inputs: number;
  /** Requests in it that should be answered, unless something before them ended the connection. */
  readonly requests: number;
}

const verbs = ['GET', 'GET', 'POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS', 'PATCH', 'QUERY'];
const releaseNames = [
  'alpha',
  'beta',
  'a%2Fb',
  '%',
  '%ff',
  '..',
  '%2e%2e',
  'x'.repeat(100),
  '__proto__',
  'ä',
];
const routes = ['json', 'status/json', 'content/json', 'rollback/json', 'test/json', 'history/json', 'json/'];
const queries = [
  '',
  '',
  '?limit=-1',
  '?limit=99999999999999999999',
  '?all=true&pretty',
  '?status_codes=NOPE&sort_by=7',
  '?version=1&version=x',
  '?%',
  '?format_values_as_json=TRUE',
  '?__proto__=1&constructor=2',
  '?kube_context=good',
  '?kube%5Fcontext=nobody',
];
const otherPaths = [
  '/',
  '/openapi.json',
  '/metrics',
  '/healthz',
  '/readyz',
  '/clusters',
  '/clusters/',
  '/clusters/-/tiller/v2/version/json',
  '/nothing',
  '*',
  '//',
  '/tiller/v2/version/json',
  '/tiller/v2/charts/json?q=a',
  'http://localhost/tiller/v2/version/json',
  'localhost:1',
];
const bodies = [
  '{"chart":{"metadata":{"name":"x"}},"values":{"raw":"a: b"}}',
  '{"chart":{"metadata":{"name":"x"},"dependencies":[{}]},"timeout":"1e3"}',
  '{"chart_url":"http://127.0.0.1:9/x.tgz"}',
  '{"chart_url":"nothing/here/1.x"}',
  '{"values_json":{"a":[[],[{}]],"b":null},"chart":{"templates":[{"name":"t","data":"e30="}]}}',
  '{"name":1}',
  '{"force":"yes","recreate":{}}',
  '[[[[[[',
  'null',
  `${'{"chart":'.repeat(120)}1`,
  '--b\r\nContent-Disposition: form-data; name="chart"; filename="x.tgz"\r\n\r\n\x1f\x8b\r\n--b--\r\n',
  '--b\r\nContent-Disposition: form-data; name="request"\r\n\r\n{}\r\n--b--\r\n',
  '',
];
const types = [
  'application/json',
  'application/json; charset=utf-16',
  'multipart/form-data; boundary=b',
  'multipart/form-data',
  'application/x-www-form-urlencoded',
  'text/plain',
  'application/grpc',
  'application/connect+json',
  '',
];
const swift = '/appscode.swift.v2.ReleaseService';
const tiller = '/hapi.services.tiller.ReleaseService';
const grpcPaths = [
  `${swift}/SummarizeReleases`,
  `${swift}/GetReleaseContent`,
  `${swift}/InstallRelease`,
  `${swift}/RunReleaseTest`,
  `${swift}/Nothing`,
  `${tiller}/ListReleases`,
  `${tiller}/GetVersion`,
  `${tiller}/InstallRelease`,
  `${tiller}/UpdateRelease`,
  '/grpc.health.v1.Health/Check',
  '/grpc.health.v1.Health/Watch',
  '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo',
  '/no.Such/Method',
  '',
];
const grpcTypes = [
  'application/grpc',
  'application/grpc',
  'application/grpc+proto',
  'application/grpc+thrift',
];
const webTypes = [
  'application/grpc-web',
  'application/grpc-web+proto',
  'application/grpc-web-text',
  'application/grpc-web-text+proto',
  'application/grpc-web+json',
];
const hosts = [
  'localhost',
  'localhost',
  'localhost',
  '127.0.0.1:1',
  'evil.example',
  '',
  '[::1]',
  'a b',
  'x:y:z',
];
const oddHeaders: readonly (readonly [string, string])[] = [
  ['accept-encoding', 'gzip;q=0.5, *;q=nan'],
  ['accept', 'application/grpc-web-text, */*;q=0'],
  ['grpc-timeout', '1S'],
  ['grpc-timeout', 'soon'],
  ['grpc-timeout', '99999999H'],
  ['grpc-timeout', '0n'],
  ['grpc-encoding', 'br'],
  ['origin', 'http://evil.example'],
  ['origin', 'null'],
  ['sec-fetch-site', 'cross-site'],
  ['x-request-id', 'a'.repeat(300)],
  ['x-http-method-override', 'GET'],
  ['x-kubeapiserver', 'https://127.0.0.1:9'],
  ['x-kubetoken', 'secret'],
  ['x-cluster', 'good'],
  ['x-cluster', 'nobody'],
  ['authorization', 'Bearer x'],
  ['expect', '100-continue'],
  ['content-encoding', 'gzip'],
  ['x-helm-api-client', 'v2.17.0'],
  ['x-helm-api-client', '\x80'],
  ['traceparent', '00-\x7f'],
  ['if-none-match', '*'],
  ['range', 'bytes=0-1'],
  ['cookie', 'a=b'],
  ['te', 'trailers'],
];
/** Sent over HTTP/1 only: on HTTP/2 they make the whole request malformed. */
const hopHeaders: readonly (readonly [string, string])[] = [
  ['connection', 'close'],
  ['connection', 'Upgrade, HTTP2-Settings'],
  ['upgrade', 'h2c'],
  ['http2-settings', 'AAMAAABkAAQAAP__'],
  ['transfer-encoding', 'chunked'],
  ['content-length', '7'],
  ['host', 'localhost'],
];

/** Draws conversations. @param clusters names that a request may give to a hub */
export class RequestFuzzer {
  readonly #dice: Dice;
  readonly #clusters: readonly string[];

  constructor(dice: Dice, clusters: readonly string[]) {
    this.#dice = dice;
    this.#clusters = clusters;
  }

  next(): Conversation {
    const dice = this.#dice;
    const kind = dice.below(100);
    if (kind < 40) return this.#http1();
    if (kind < 85) return this.#http2();
    if (kind < 90) return this.#upgrade();
    if (kind < 94) return single(dice.mutate(clientHello));
    if (kind < 97) return single(dice.bytes(1 + dice.below(200)));
    return single(dice.mutate(Buffer.concat([preface, settingsFrame, dice.bytes(dice.below(100))])));
  }

  #http1(): Conversation {
    const dice = this.#dice;
    const count = 1 + dice.below(24);
    const bytes = Buffer.concat(Array.from({ length: count }, () => this.#http1Request()));
    const tail = dice.oneIn(3) ? undefined : dice.mutate(this.#http1Request(true));
    return { protocol: 'http1', bytes, tail, inputs: count + (tail ? 1 : 0), requests: count };
  }

  /** @param isLast whether it may be one that ends the connection */
  #http1Request(isLast = false): Buffer {
    const dice = this.#dice;
    const isWeb = dice.oneIn(5);
    const verb = isWeb ? 'POST' : dice.pick(verbs);
    const drawn = (isWeb ? this.#prefixed(dice.pick(grpcPaths)) : this.#path()) || '/';
    const path =
      isLast || (/^(?:\/|http:)[!-~]*$|^\*$/.test(drawn) && !drawn.endsWith('/Watch')) ? drawn : '/odd';
    const type = isWeb ? dice.pick(webTypes) : dice.pick(types);
    const body = isWeb ? this.#webBody(type) : Buffer.from(dice.pick(bodies), 'latin1');
    const lines = [`${verb} ${path} HTTP/1.${isLast && dice.oneIn(4) ? 0 : 1}`, `Host: ${dice.pick(hosts)}`];
    if (type !== '') lines.push(`Content-Type: ${type}`);
    const isChunked = dice.oneIn(6);
    lines.push(isChunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${body.length}`);
    for (const [name, value] of this.#headers())
      if (isLast || !value.includes('\x7f')) lines.push(`${name}: ${value}`);
    if (isLast && dice.oneIn(2)) lines.push(dice.pick(hopHeaders).join(': '));
    const head = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
    if (!isChunked) return Buffer.concat([head, body]);
    const chunk = body.length > 0 ? [Buffer.from(`${body.length.toString(16)}\r\n`), body, crlf] : [];
    return Buffer.concat([head, ...chunk, Buffer.from('0\r\n\r\n')]);
  }

  #http2(): Conversation {
    const dice = this.#dice;
    const frames = [preface, dice.oneIn(5) ? settingsFrame : roomySettings, connectionWindow];
    const count = 1 + dice.below(30);
    let inputs = count;
    let requests = 0;
    for (let index = 0; index < count; index++) {
      const { sent, isAnswered } = this.#stream(2 * index + 1);
      frames.push(...sent);
      if (isAnswered) requests++;
      if (!dice.oneIn(4)) continue;
      inputs++;
      frames.push(this.#harmlessFrame(2 * index + 1));
    }
    const last = 2 * count + 1;
    const broken = dice.oneIn(2) ? this.#oddFrame(last) : Buffer.concat(this.#stream(last).sent);
    const tail = dice.oneIn(3) ? undefined : dice.mutate(broken);
    return {
      protocol: 'http2',
      bytes: Buffer.concat(frames),
      tail,
      inputs: inputs + (tail ? 1 : 0),
      requests,
    };
  }

  #stream(id: number): { sent: Buffer[]; isAnswered: boolean } {
    const dice = this.#dice;
    const [headers, body] = dice.oneIn(2) ? this.#grpcRequest() : this.#jsonRequest();
    const more = this.#headers().filter(([name]) => name !== 'te');
    if (dice.oneIn(30)) more.push(dice.pick(hopHeaders));
    if (dice.oneIn(30)) more.push([':path', '/'], [':status', '200']);
    if (dice.oneIn(30))
      more.push([dice.pick(['X-Upper', '', 'a b', 'x\0']), dice.pick(['', 'v', '\r\n', ' v '])]);
    const block = [...Object.entries(headers), ...more];
    const sent = [headersFrame(id, block), ...split(dice, body).map(part => dataFrame(id, part))];
    const [isEnded, isReset] = [!dice.oneIn(20), dice.oneIn(10)];
    if (isEnded) sent.push(this.#endOf(id));
    if (isReset) sent.splice(1 + dice.below(sent.length), 0, resetFrame(id, dice.below(20)));
    const lasts = headers[':path']?.endsWith('/Watch') ?? false;
    return { sent, isAnswered: isEnded && !isReset && !lasts };
  }

  #endOf(id: number): Buffer {
    if (!this.#dice.oneIn(10)) return dataFrame(id, Buffer.alloc(0), flags.endStream);
    return headersFrame(id, [['x-trailer', 'v']], flags.endStream);
  }

  #grpcRequest(): [Record<string, string>, Buffer] {
    const dice = this.#dice;
    const isWeb = dice.oneIn(4);
    const type = isWeb ? dice.pick(webTypes) : dice.pick(grpcTypes);
    const headers = { 'content-type': type, ...(!isWeb && { te: 'trailers' }) };
    const body = isWeb ? this.#webBody(type) : this.#grpcBody();
    return [requestHeaders('POST', this.#prefixed(dice.pick(grpcPaths)), headers), body];
  }

  #jsonRequest(): [Record<string, string>, Buffer] {
    const dice = this.#dice;
    const type = dice.pick(types);
    const headers = requestHeaders(
      dice.pick(verbs),
      this.#path(),
      type === '' ? {} : { 'content-type': type },
    );
    if (dice.oneIn(10)) headers[':authority'] = dice.pick(hosts);
    if (dice.oneIn(100)) headers[':method'] = 'CONNECT';
    return [headers, Buffer.from(dice.pick(bodies), 'latin1')];
  }

  #grpcBody(): Buffer {
    const dice = this.#dice;
    const message = dice.oneIn(3) ? Buffer.alloc(0) : this.#message();
    if (dice.oneIn(12)) return dice.mutate(toFrame(message));
    if (dice.oneIn(20)) return Buffer.concat([toFrame(message), toFrame(message)]);
    if (dice.oneIn(20)) return Buffer.from([dice.below(3), 0xff, 0xff, 0xff, 0xff, 1]);
    return toFrame(message);
  }

  /** Fields of release requests with values of every wire type, or noise. */
  #message(): Buffer {
    const dice = this.#dice;
    if (dice.oneIn(4)) return dice.bytes(dice.below(60));
    const fields: Buffer[] = [];
    for (let n = dice.below(6); n > 0; n--) {
      const number = 1 + dice.below(15);
      const kind = dice.below(4);
      if (kind === 0) fields.push(Buffer.from([number << 3, dice.below(128)]));
      else if (kind === 1) fields.push(Buffer.from([(number << 3) | 2, 5]), Buffer.from('alpha'));
      else if (kind === 2) fields.push(Buffer.from([number << 3]), Buffer.alloc(9, 0xff), Buffer.from([1]));
      else fields.push(Buffer.from([(number << 3) | 5]), dice.bytes(4));
    }
    return Buffer.concat(fields);
  }

  #webBody(type: string): Buffer {
    const body = this.#grpcBody();
    if (!type.includes('text')) return body;
    const text = Buffer.from(body.toString('base64'));
    return this.#dice.oneIn(6) ? this.#dice.mutate(text) : text;
  }

  #path(): string {
    const dice = this.#dice;
    if (dice.oneIn(3)) return dice.pick(otherPaths);
    const path = dice.oneIn(4)
      ? `/tiller/v2/releases/json${dice.pick(queries)}`
      : `/tiller/v2/releases/${dice.pick(releaseNames)}/${dice.pick(routes)}${dice.pick(queries)}`;
    return dice.oneIn(10)
      ? dice.mutate(Buffer.from(path)).toString('latin1').replace(/\s/g, '')
      : this.#prefixed(path);
  }

  #prefixed(path: string): string {
    if (this.#clusters.length === 0 || !this.#dice.oneIn(15)) return path;
    return `/clusters/${this.#dice.pick(this.#clusters)}${path}`;
  }

  #headers(): (readonly [string, string])[] {
    const dice = this.#dice;
    const headers = Array.from({ length: dice.below(3) }, () => dice.pick(oddHeaders));
    if (this.#clusters.length > 0 && dice.oneIn(30)) headers.push(['x-cluster', dice.pick(this.#clusters)]);
    if (dice.oneIn(60)) headers.push(['x-long', 'y'.repeat(dice.pick([1000, 20_000]))]);
    return headers;
  }

  /** What may come between requests without ending the connection. */
  #harmlessFrame(stream: number): Buffer {
    const dice = this.#dice;
    switch (dice.below(6)) {
      case 0:
        return frame(frameType.ping, 0, 0, dice.bytes(8));
      case 1:
        return frame(frameType.windowUpdate, 0, 0, Buffer.from([0, 0, 1, dice.below(256)]));
      case 2:
        return frame(frameType.priority, 0, stream + 2, Buffer.from([0, 0, 0, 0, dice.below(256)]));
      case 3:
        return frame(20 + dice.below(200), dice.below(256), dice.below(stream), dice.bytes(dice.below(50)));
      case 4:
        return settingsOf([[dice.pick([1, 3, 200]), dice.pick([0, 1, 4096])]]);
      default:
        return resetFrame(stream, dice.below(20));
    }
  }

  /** Mostly ends the connection. */
  #oddFrame(stream: number): Buffer {
    const dice = this.#dice;
    const payload = dice.bytes(dice.below(40));
    return frame(dice.below(12), dice.below(256), dice.pick([0, 1, 2, stream, stream - 2]), payload);
  }

  #upgrade(): Conversation {
    const dice = this.#dice;
    const path = this.#prefixed(this.#path()) || '/';
    const head = [
      `GET ${path} HTTP/1.1`,
      `Host: ${dice.pick(hosts)}`,
      `Connection: ${dice.pick(['Upgrade', 'upgrade, close', 'keep-alive'])}`,
      `Upgrade: ${dice.pick(['websocket', 'WebSocket', 'h2c', 'tcp'])}`,
      `Sec-WebSocket-Key: ${dice.pick(['dGhlIHNhbXBsZSBub25jZQ==', 'x', ''])}`,
      `Sec-WebSocket-Version: ${dice.pick(['13', '8', 'x'])}`,
      ...this.#headers().map(header => header.join(': ')),
    ];
    const start = Buffer.from(`${head.join('\r\n')}\r\n\r\n`, 'latin1');
    const rest = dice.oneIn(2)
      ? Buffer.from([0x82, 0x85, 1, 2, 3, 4, 5, 6, 7, 8, 9])
      : dice.bytes(dice.below(80));
    const bytes = Buffer.concat([dice.oneIn(3) ? dice.mutate(start) : start, rest]);
    return { protocol: 'http1', bytes, inputs: 2, requests: 1 };
  }
}

const crlf = Buffer.from('\r\n');

/** Room for large answers: INITIAL_WINDOW_SIZE, and the connection's own window. */
const roomySettings = settingsOf([[4, 1024 * 1024]]);
const connectionWindow = frame(frameType.windowUpdate, 0, 0, Buffer.from([0, 0x7f, 0, 0]));

/** A TLS 1.2 record with the beginning of a ClientHello: random, no session, two suites, no extensions. */
const clientHello = Buffer.concat([
  Buffer.from('16030100310100002d0303', 'hex'),
  Buffer.alloc(32, 7),
  Buffer.from('000004130113020100000000', 'hex'),
]);

function single(bytes: Buffer): Conversation {
  return { protocol: 'bytes', bytes, inputs: 1, requests: 0 };
}

function split(dice: Dice, body: Buffer): Buffer[] {
  if (body.length === 0) return [];
  if (!dice.oneIn(4)) return [body];
  const at = dice.below(body.length);
  return [body.subarray(0, at), body.subarray(at)];
}
