import { once } from 'node:events';
import * as grpc from '@grpc/grpc-js';
import { GatewayError, header } from '../../protocol/index.ts';
import { validateClientVersion } from './client-version.ts';

/** A call to the sandbox Tiller, as tests may watch it. */
export interface SandboxCall {
  /** `InstallRelease` */
  readonly method: string;
  /** The `x-helm-api-client` that came with it; empty when none did. */
  readonly client: string;
  /** The request message. */
  readonly request: Buffer;
  /** Aborted when the client cancels, its deadline passes, or its connection ends. The call itself goes on regardless. */
  readonly signal: AbortSignal;
}

/**
 * Is asked before a call is answered, with the version checked. It may wait, so that the call is delayed or, until
 * `signal`, hangs; what it throws (GatewayError) is the answer instead. For tests of faults; the default run has none.
 */
export type Interceptor = (call: SandboxCall) => void | Promise<void>;

/** Gives a call's answers. What it throws (GatewayError) is the call's status. */
export type Answer = (request: Buffer) => AsyncGenerator<Buffer>;

export interface CallFrontOptions {
  readonly intercept: Interceptor | undefined;
  /** Called with each failed call's error, before the client gets it. */
  readonly onFailure: (error: GatewayError) => void;
}

interface CallSurface {
  readonly request: Buffer;
  readonly metadata: grpc.Metadata;
  on(event: 'cancelled', listener: () => void): unknown;
}

const bytesAsTheyAre = (bytes: Buffer): Buffer => bytes;

/** A method's definition for grpc-js; its messages stay bytes. */
export function methodDefinition(
  service: string,
  name: string,
  responseStream: boolean,
): grpc.MethodDefinition<Buffer, Buffer> {
  return {
    path: `/${service}/${name}`,
    requestStream: false,
    responseStream,
    requestSerialize: bytesAsTheyAre,
    requestDeserialize: bytesAsTheyAre,
    responseSerialize: bytesAsTheyAre,
    responseDeserialize: bytesAsTheyAre,
  };
}

/** Between grpc-js and the methods: the version check, the interceptor, back-pressure, statuses. */
export class CallFront {
  readonly #options: CallFrontOptions;

  constructor(options: CallFrontOptions) {
    this.#options = options;
  }

  unary(name: string, answer: Answer): grpc.handleUnaryCall<Buffer, Buffer> {
    return async (call, callback) => {
      try {
        await this.#admit(name, call);
        for await (const response of answer(call.request)) return callback(null, response);
        throw new Error(`${name} gave no answer`);
      } catch (error) {
        callback(this.#toStatus(error));
      }
    };
  }

  stream(name: string, answer: Answer): grpc.handleServerStreamingCall<Buffer, Buffer> {
    return async call => {
      try {
        await this.#admit(name, call);
        const cancelled = new Promise<void>(resolve => call.once('cancelled', resolve));
        for await (const response of answer(call.request)) {
          if (call.cancelled) return;
          if (!call.write(response)) await Promise.race([once(call, 'drain'), cancelled]);
        }
        call.end();
      } catch (error) {
        call.emit('error', this.#toStatus(error));
      }
    };
  }

  async #admit(method: string, surface: CallSurface): Promise<void> {
    const client = String(surface.metadata.get(header.helmClient)[0] ?? '');
    if (method !== 'GetVersion') validateClientVersion(client);
    if (!this.#options.intercept) return;
    const left = new AbortController();
    surface.on('cancelled', () => left.abort());
    const call: SandboxCall = { method, client, request: surface.request, signal: left.signal };
    await this.#options.intercept(call);
  }

  #toStatus(error: unknown): Partial<grpc.StatusObject> & Error {
    const failure = GatewayError.from(error);
    this.#options.onFailure(failure);
    const metadata = new grpc.Metadata();
    metadata.set('grpc-message', encodeErrorText(failure.message)); // in place of what grpc-js makes of `details`
    return Object.assign(new Error(failure.message), { code: failure.code, details: '', metadata });
  }
}

/**
 * Bytes of an encoded error text. Peers take 64 KiB of headers; a longer one would end the connection, and with it the
 * calls of all others.
 */
const maxTextBytes = 60_000;

/**
 * An error's text as grpc-go 1.18 sends it, in which spaces stay as they are, those at the ends too.
 * Source: https://github.com/grpc/grpc-go/blob/v1.18.0/internal/transport/http_util.go, `encodeGrpcMessage`
 */
export function encodeErrorText(text: string): string {
  const encoded = encodeUpTo(text, maxTextBytes);
  if (encoded.length <= maxTextBytes) return encoded;
  const notice = ` [the sandbox ends this text here: it has ${Buffer.byteLength(text)} bytes]`;
  return encodeUpTo(text, maxTextBytes - notice.length, true) + notice;
}

/** @param stop whether to stop before the bound; otherwise behind it */
function encodeUpTo(text: string, maxBytes: number, stop = false): string {
  let encoded = '';
  for (const character of text) {
    const plain = character >= ' ' && character <= '~' && character !== '%';
    const next = plain ? character : percentEncode(character);
    if (stop && encoded.length + next.length > maxBytes) break;
    encoded += next;
    if (encoded.length > maxBytes) break;
  }
  return encoded;
}

function percentEncode(character: string): string {
  return Array.from(
    Buffer.from(character),
    byte => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`,
  ).join('');
}
