import { once } from 'node:events';
import * as grpc from '@grpc/grpc-js';
import { header } from '../../protocol/headers.ts';
import { GatewayError } from '../../protocol/index.ts';
import { validateClientVersion } from './client-version.ts';
import type { Interceptor, SandboxCall } from './interceptor.ts';

/** Gives a call's answers. What it throws (GatewayError) is the call's status. */
export type Answer = (request: Buffer) => AsyncGenerator<Buffer>;

export interface CallFrontOptions {
  readonly intercept: Interceptor | undefined;
  /** Told of each call that failed, before the client is. */
  readonly onFailure: (error: GatewayError) => void;
}

interface CallSurface {
  readonly request: Buffer;
  readonly metadata: grpc.Metadata;
  on(event: 'cancelled', listener: () => void): unknown;
}

const bytesAsTheyAre = (bytes: Buffer): Buffer => bytes;

/** How grpc-js is told of a method whose messages stay bytes. */
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
    return Object.assign(new Error(failure.message), {
      code: failure.code,
      details: failure.message,
      metadata: new grpc.Metadata(),
    });
  }
}
