import type { IncomingHttpHeaders } from 'node:http';
import { isReadOnly } from '../codec/index.ts';
import { type Answered, type Exchange, leaveBody, type Route, StreamWriter } from '../http/index.ts';
import {
  type Code,
  encodeGrpcMessage,
  framePrefixBytes,
  GatewayError,
  headerOf,
  invalidArgument,
  readBounded,
  refusesBody,
  toFrame,
  withoutLocalPaths,
} from '../protocol/index.ts';
import { isLive, type ReleaseService } from '../releases/index.ts';
import { type Call, type CallBounds, onlyMessage, untilStopped } from './call.ts';
import { releaseHandler, tillerService } from './cluster-calls.ts';
import { type Health, healthHandlers, healthService } from './health.ts';
import { reflectionServices } from './reflection.ts';

export interface GrpcWebOptions extends Pick<CallBounds, 'maxMessageBytes'> {
  readonly service: ReleaseService;
  readonly health: Health;
  /** Fires when the gateway begins to stop: calls that would last for ever end then. */
  readonly stopping: AbortSignal;
}

/**
 * gRPC-Web for the services of the contract and for health, on HTTP/1.1 and HTTP/2: routes of the HTTP pipeline, so that the
 * cluster, CORS and what a page may do are decided as for any other request. At the paths of the other services, and for
 * other protocols than gRPC-Web, they say what to use.
 * Source: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-WEB.md
 */
export function createGrpcWebRoutes({ service: releases, health, ...options }: GrpcWebOptions): Route[] {
  const { names, methods } = releases;
  const services = [...names, tillerService.name, healthService];
  const own = untilStopped(healthHandlers(health, services), options.stopping);
  const { maxMessageBytes } = options;
  const others = [
    ...tillerService.methods.map(({ path }) => path),
    ...reflectionServices.map(name => `/${name}/ServerReflectionInfo`),
  ];
  return [
    ...methods.map(method =>
      route(method.contract.path, {
        changes: !isReadOnly(method.contract),
        perCluster: true,
        answer: exchange =>
          answer(exchange, maxMessageBytes, call =>
            exchange.cluster.withBackend(
              call.signal,
              backend => releaseHandler(method, backend)(call),
              isLive(method.contract),
            ),
          ),
      }),
    ),
    ...own.map(([path, handler]) =>
      route(path, { changes: false, answer: exchange => answer(exchange, maxMessageBytes, handler) }),
    ),
    ...others.map(path =>
      route(path, {
        perCluster: true,
        answer() {
          throw unsupported(`${path} is served by native gRPC over HTTP/2 only`);
        },
      }),
    ),
  ];
}

function route(template: string, rest: Pick<Route, 'answer' | 'changes' | 'perCluster'>): Route {
  return { template, verbs: ['POST'], summary: 'gRPC-Web.', ...rest };
}

/** How messages travel: as bytes, or as base64 of them. */
type Format = 'binary' | 'text';

const contentTypes: Readonly<Record<Format, string>> = {
  binary: 'application/grpc-web+proto',
  text: 'application/grpc-web-text+proto',
};

function formatOf(type: string | undefined): Format | undefined {
  const match = /^application\/grpc-web(-text)?(?:\+proto)?\s*(?:[;,]|$)/i.exec(type ?? '');
  return match ? (match[1] === undefined ? 'binary' : 'text') : undefined;
}

/** What else comes to these paths gets 415. @throws GatewayError with what to use instead */
function requireFormat(headers: IncomingHttpHeaders): Format {
  const type = headers['content-type'];
  const format = formatOf(type);
  if (format) return format;
  const isConnect =
    headers['connect-protocol-version'] !== undefined ||
    /^application\/(?:connect\+|proto\b)/i.test(type ?? '');
  if (isConnect) throw unsupported('the Connect protocol is not served');
  if (/^application\/grpc(?:\+|;|$)/i.test(type ?? '')) throw unsupported('gRPC needs HTTP/2');
  throw unsupported(`${JSON.stringify((type ?? '').slice(0, 80))} is no content type of gRPC-Web`);
}

function unsupported(what: string): GatewayError {
  const instead =
    'use gRPC-Web (application/grpc-web or application/grpc-web-text) for the release service, gRPC over HTTP/2, or the JSON API that /openapi.json describes';
  return invalidArgument(`${what}: ${instead}`, { reason: 'UNSUPPORTED_MEDIA_TYPE' });
}

/** Runs the call and ends the answer with its status, which travels in the body: HTTP/1.1 has no trailers for a page. */
async function answer(
  exchange: Exchange,
  maxMessageBytes: number,
  run: (call: Call) => Promise<Code>,
): Promise<Answered> {
  const { request, response, target } = exchange;
  const format = requireFormat(request.headers);
  const answerFormat = formatOf(headerOf(request, 'accept')) ?? format;
  const writerUntil = (signal: AbortSignal) => new StreamWriter(exchange, signal, contentTypes[answerFormat]);
  const encode = (frame: Buffer) => (answerFormat === 'text' ? frame.toString('base64') : frame);
  let writer = writerUntil(AbortSignal.abort());
  const finish = (code: Code, message = '') => {
    writer.write(encode(trailersFrame(code, message))).catch(() => response.destroy());
    writer.end();
    return writer.bytes;
  };
  try {
    const code = await exchange.withContext(context => {
      writer = writerUntil(context.signal);
      return run({
        ...context,
        path: target.path,
        headers: request.headers,
        request: () => readMessage(exchange, format, maxMessageBytes, context.signal),
        send: message => writer.write(encode(toFrame(message))),
      });
    });
    return { code, bytes: finish(code), error: undefined };
  } catch (thrown) {
    const error = GatewayError.from(thrown);
    if (refusesBody(error) && !response.headersSent) leaveBody(response);
    return { code: error.code, bytes: finish(error.code, withoutLocalPaths(error.message)), error: thrown };
  }
}

async function readMessage(
  { request, hold }: Exchange,
  format: Format,
  maxMessageBytes: number,
  signal: AbortSignal,
): Promise<Buffer> {
  const frameBytes = maxMessageBytes + framePrefixBytes;
  const maxBytes = format === 'text' ? Math.ceil(frameBytes / 3) * 4 : frameBytes;
  const bounds = { maxBytes, what: 'the request', keepOpen: true, signal, onBytes: hold.body };
  const body = await readBounded(request, bounds);
  return onlyMessage(format === 'text' ? fromBase64(body) : body, request.headers, maxMessageBytes, hold);
}

/** Clients send a piece for each frame, and a request is one frame. */
const maxPieces = 1_000;

/** Base64 in one piece or in several, each with its padding. @throws GatewayError for anything else */
function fromBase64(body: Buffer): Buffer {
  const text = body.toString('latin1');
  if (/[^A-Za-z0-9+/=]/.test(text)) throw invalidArgument('the request is not base64');
  const pieces = text.split(/=+/, maxPieces + 1);
  if (pieces.length > maxPieces)
    throw invalidArgument(`the request is base64 in more than ${maxPieces} pieces`);
  return Buffer.concat(pieces.map(piece => Buffer.from(piece, 'base64')));
}

/** The status as the last frame of the body: the highest bit of its flags says that it is no message. */
function trailersFrame(code: Code, message: string): Buffer {
  const text =
    message === '' ? '' : `grpc-message:${encodeGrpcMessage(message.slice(0, maxStatusChars))}\r\n`;
  const frame = toFrame(Buffer.from(`grpc-status:${code}\r\n${text}`, 'latin1'));
  frame[0] = 0x80;
  return frame;
}

/** Enough for any text that a person reads. */
const maxStatusChars = 4096;
