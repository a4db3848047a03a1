/**
 * Requests that say odd things of themselves, by every kind of connection to the real program: each is answered for
 * what it is, none ends the process, and the next request is served.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { connect as tcpConnect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { connect as tlsConnect } from 'node:tls';
import { createAuthority, type KeyedCertificate } from './support/certificates.ts';
import { type GatewayProcess, startGatewayProcess } from './support/gateway-process.ts';
import { readToEnd } from './support/listener-stage.ts';
import { type StubTiller, startStubTiller } from './support/stub-tiller.ts';

const path = '/tiller/v2/version/json';
const host = 'Host: localhost\r\n';
const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
const body = (headers: string, text = '') => `POST ${path} HTTP/1.1\r\n${host}${headers}\r\n\r\n${text}`;
const get = (headers: string) => `GET ${path} HTTP/1.1\r\n${headers}\r\n\r\n`;

/** Bytes, and the statuses that may answer them; 0 is none. */
const requests: Record<string, [text: string, ...statuses: number[]]> = {
  'HTTP/2.0': ['GET / HTTP/2.0\r\n\r\n', 505],
  'HTTP/2.0 with Host': [`GET ${path} HTTP/2.0\r\n${host}\r\n`, 505],
  'HTTP/2.0 for /healthz': [`GET /healthz HTTP/2.0\r\n${host}\r\n`, 505],
  'HTTP/2.0 as gRPC': [
    `POST /a/b HTTP/2.0\r\n${host}Content-Type: application/grpc\r\nTE: trailers\r\n\r\n`,
    505,
  ],
  'HTTP/3.0': [`GET ${path} HTTP/3.0\r\n${host}\r\n`, 505],
  'HTTP/1.2': [`GET ${path} HTTP/1.2\r\n${host}\r\n`, 505],
  'HTTP/0.9': [`GET ${path} HTTP/0.9\r\n${host}\r\n`, 505],
  'HTTP/1': [`GET ${path} HTTP/1\r\n${host}\r\n`, 400, 505],
  'HTTP/11.1': [`GET ${path} HTTP/11.1\r\n${host}\r\n`, 400, 505],
  'no version': [`GET ${path}\r\n\r\n`, 400, 505],
  'lower-case http/1.1': [`GET ${path} http/1.1\r\n${host}\r\n`, 400],
  'HTTPS/1.1': [`GET ${path} HTTPS/1.1\r\n${host}\r\n`, 400],
  'absolute form': [`GET http://localhost${path} HTTP/1.1\r\n${host}\r\n`, 200],
  'absolute form of https': [`GET https://localhost${path} HTTP/1.1\r\n${host}\r\n`, 200],
  'absolute form without a path': [`GET http://localhost HTTP/1.1\r\n${host}\r\n`, 200],
  'authority form': [`GET localhost:80 HTTP/1.1\r\n${host}\r\n`, 400, 404],
  'GET *': [`GET * HTTP/1.1\r\n${host}\r\n`, 400, 404],
  'OPTIONS *': [`OPTIONS * HTTP/1.1\r\n${host}\r\n`, 200, 204, 400, 404],
  'half a preface': [preface.slice(0, 12), 0, 400],
  'a preface but for its last byte': [`${preface.slice(0, -1)}x`, 400, 505],
  'a preface line with Host': [`PRI * HTTP/2.0\r\n${host}\r\n`, 400, 505],
  'PRI of HTTP/1.1': [`PRI * HTTP/1.1\r\n${host}\r\n`, 400, 404, 405, 501, 505],
  'an upgrade to h2c': [
    get(`${host}Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk`),
    200,
  ],
  'an upgrade to TLS': [get(`${host}Connection: Upgrade\r\nUpgrade: TLS/1.0`), 200],
  'a WebSocket': [
    get(
      `${host}Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==`,
    ),
    200,
  ],
  CONNECT: [`CONNECT localhost:80 HTTP/1.1\r\n${host}\r\n`, 405],
  'CONNECT of a path': [`CONNECT ${path} HTTP/1.1\r\n${host}\r\n`, 400, 405],
  TRACE: [`TRACE ${path} HTTP/1.1\r\n${host}\r\n`, 405],
  'a method nobody knows': [`BREW ${path} HTTP/1.1\r\n${host}\r\n`, 400, 405],
  'a lower-case method': [`get ${path} HTTP/1.1\r\n${host}\r\n`, 400],
  'two Host headers': [get(`${host}Host: localhost`), 400],
  'two different Host headers': [get(`${host}hOsT: evil`), 400],
  'no Host': [get('A: b'), 400],
  'an empty Host': [get('Host:'), 400, 421],
  'Host with userinfo': [get('Host: user@localhost'), 400, 421],
  'Host with a path': [get('Host: localhost/x'), 400, 421],
  'Host of another': [get('Host: evil.example'), 421],
  'a target of another host': ['GET http://evil.example/healthz HTTP/1.1\r\nHost: localhost\r\n\r\n', 421],
  'a target with userinfo': ['GET http://localhost@evil.example/ HTTP/1.1\r\nHost: localhost\r\n\r\n', 421],
  'a target whose userinfo is another': [
    'GET http://evil@localhost/ HTTP/1.1\r\nHost: localhost\r\n\r\n',
    421,
  ],
  'a target without an authority': ['GET http:///healthz HTTP/1.1\r\nHost: localhost\r\n\r\n', 400, 421],
  'a folded header': [get(`${host}A: b\r\n c`), 400],
  'a fold in Host': [get('Host: local\r\n host'), 400],
  'bare LF': [`GET ${path} HTTP/1.1\nHost: localhost\n\n`, 400, 505],
  'bare LF in a header': [`GET ${path} HTTP/1.1\r\nHost: localhost\nA: b\r\n\r\n`, 400],
  'bare CR in a header': [get(`${host}A: b\rc`), 400],
  'NUL in a header': [get(`${host}A: b\0c`), 400],
  'NUL in the path': [`GET /a\0b HTTP/1.1\r\n${host}\r\n`, 400],
  'a space before the colon': [get(`${host}A : b`), 400],
  'two Content-Length': [body('Content-Length: 2\r\nContent-Length: 3', '{}'), 400],
  'the same Content-Length twice': [body('Content-Length: 2\r\nContent-Length: 2', '{}'), 400],
  'a list in Content-Length': [body('Content-Length: 2, 2', '{}'), 400],
  'a negative Content-Length': [body('Content-Length: -2', '{}'), 400],
  'a plus-signed Content-Length': [body('Content-Length: +2', '{}'), 400],
  'a hexadecimal Content-Length': [body('Content-Length: 0x2', '{}'), 400],
  'an endless Content-Length': [body('Content-Length: 99999999999999999999', '{}'), 400],
  'Transfer-Encoding and Content-Length': [
    body('Transfer-Encoding: chunked\r\nContent-Length: 2', '0\r\n\r\n'),
    400,
  ],
  'Transfer-Encoding: xchunked': [body('Transfer-Encoding: xchunked', '0\r\n\r\n'), 400],
  'Transfer-Encoding: chunked, identity': [body('Transfer-Encoding: chunked, identity', '0\r\n\r\n'), 400],
  'Transfer-Encoding: gzip, chunked': [body('Transfer-Encoding: gzip, chunked', '0\r\n\r\n'), 501],
  'Transfer-Encoding of HTTP/1.0': [
    `POST ${path} HTTP/1.0\r\n${host}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    400,
  ],
  'a chunk of no size': [body('Transfer-Encoding: chunked', 'x\r\n\r\n'), 400, 405],
};

let stub: StubTiller;
let folder: string;
let open: GatewayProcess;
let guarded: GatewayProcess;
let client: KeyedCertificate;
let ca: string;
const owned: (() => unknown)[] = [];

before(async () => {
  stub = await startStubTiller();
  folder = mkdtempSync(join(tmpdir(), 'odd-requests-'));
  const authority = createAuthority('test CA');
  ca = authority.ca;
  client = authority.issue('client');
  const { cert, key } = authority.issue('localhost');
  for (const [name, text] of Object.entries({ cert, key, ca })) writeFileSync(join(folder, name), text);
  const file = (name: string) => join(folder, name);
  const flags = ['--connector=direct', `--tiller-endpoint=${stub.address}`];
  flags.push(`--tls-cert-file=${file('cert')}`, `--tls-private-key-file=${file('key')}`);
  const owner = { after: (close: () => unknown) => owned.push(close) } as never;
  const keep = /listening on|"error"/;
  open = await startGatewayProcess(owner, flags, { keep });
  const required = [`--tls-ca-file=${file('ca')}`, '--tls-client-auth=required'];
  guarded = await startGatewayProcess(owner, [...flags, ...required], {
    keep,
  });
});

after(async () => {
  for (const close of owned) close();
  await stub.stop();
  rmSync(folder, { recursive: true });
});

interface Transport {
  readonly gateway: () => GatewayProcess;
  readonly protocol?: 'h2' | 'http/1.1';
  readonly hasCertificate?: boolean;
  /** What an answer of 200 becomes here. */
  readonly refused?: number;
}

const transports: Record<string, Transport> = {
  'in plain text': { gateway: () => open },
  'over TLS': { gateway: () => open, protocol: 'http/1.1' },
  'over TLS where HTTP/2 was agreed on': { gateway: () => open, protocol: 'h2' },
  'with the certificate that is required': {
    gateway: () => guarded,
    protocol: 'http/1.1',
    hasCertificate: true,
  },
  'without the certificate that is required': { gateway: () => guarded, protocol: 'http/1.1', refused: 401 },
  'in plain text where a certificate is required': { gateway: () => guarded, refused: 401 },
};

/**
 * Everything that comes back for these bytes, on a connection of its own, whose own side is closed behind them, or when
 * the answer begins: a call to Tiller would be cancelled before.
 */
async function send(
  { gateway, protocol, hasCertificate }: Transport,
  text: string,
  isAnswered: boolean,
): Promise<string> {
  const to = { port: gateway().port, host: '127.0.0.1' };
  const socket = protocol
    ? tlsConnect({ ...to, ca, ALPNProtocols: [protocol], ...(hasCertificate && client) })
    : tcpConnect({ ...to, allowHalfOpen: true });
  const answer = readToEnd(socket);
  await once(socket, protocol ? 'secureConnect' : 'connect');
  if (isAnswered) socket.once('data', () => socket.end()).write(text, 'latin1');
  else socket.end(text, 'latin1');
  return answer;
}

async function assertServes(gateway: GatewayProcess): Promise<void> {
  const options = { host: '127.0.0.1', port: gateway.port, path, ca, ...client };
  const request = gateway === open ? httpRequest(options) : httpsRequest(options);
  const [answer] = await once(request.end(), 'response');
  answer.resume();
  assert.equal(answer.statusCode, 200);
}

for (const [how, transport] of Object.entries(transports)) {
  describe(how, { concurrency: 8 }, () => {
    for (const [what, [text, ...statuses]] of Object.entries(requests)) {
      test(what, async () => {
        const answer = await send(transport, text, transport.protocol !== 'h2' && !statuses.includes(0));
        const status = Number(/^HTTP\/1\.1 (\d+) /.exec(answer)?.[1] ?? 0);
        if (transport.protocol === 'h2') assert.equal(status, 0, answer);
        else {
          const allowed = statuses.flatMap(each =>
            transport.refused && each >= 200 && each < 400 ? [transport.refused, 404] : each,
          );
          assert.ok(
            [...allowed, ...(transport.refused ? [401] : [])].includes(status),
            `${status}: ${answer}`,
          );
        }
        assert.doesNotMatch(answer.slice(9), /HTTP\/1\.1 200/, 'one answer at most');
        await assertServes(transport.gateway());
      });
    }

    test("HTTP/2's preface ends alone, or opens HTTP/2", async () => {
      const answer = await send(transport, `${preface}\0\0\0\x04\0\0\0\0\0`, false);
      assert.doesNotMatch(answer, /HTTP\/1\.1 200/);
      await assertServes(transport.gateway());
    });
  });
}
