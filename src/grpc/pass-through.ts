import * as grpc from '@grpc/grpc-js';
import type { TillerCalls } from '../backends/index.ts';
import { afterWrite, Code, GatewayError } from '../protocol/index.ts';
import { toCheckedRequest } from '../releases/index.ts';
import type { CallHandler } from './call.ts';
import type { ServerCall } from './server-call.ts';

/** Is shown the messages of the calls that are passed through, uncompressed. It must not throw. */
export interface MessageTap {
  request(path: string, message: Buffer): void;
  reply(path: string, message: Buffer): void;
  failed(path: string, error: GatewayError): void;
}

/**
 * The metadata of a client that Tiller gets: the version that its client speaks, and what joins traces. Never what is
 * meant for the gateway or an API server, such as `authorization` or `x-kubetoken`. Of Tiller's answer clients get its
 * messages, status and text: it sends no other metadata.
 */
const passedMetadata = ['x-helm-api-client', 'x-request-id', 'traceparent', 'tracestate'] as const;

/** Tiller's text comes in a header of less than 64 KiB, and goes out in one. */
const maxPassedChars = 60_000;

/**
 * Passes calls of Tiller's own service through, so that Tiller's own clients work through the gateway. A request is
 * written anew from what was understood of it.
 */
export function passThroughHandler(
  tiller: TillerCalls,
  isRead: boolean,
  tap?: MessageTap,
): CallHandler<ServerCall> {
  return async call => {
    const message = await call.request();
    const method = call.path.slice(call.path.lastIndexOf('/') + 1);
    tap?.request(call.path, message);
    const request = await toCheckedRequest(method, message, call);
    try {
      for await (const message of tiller.pass(method, request, metadataOf(call.headers), call)) {
        tap?.reply(call.path, message);
        await call.send(message);
      }
    } catch (error) {
      const failure = GatewayError.from(error);
      tap?.failed(call.path, failure);
      if (failure.reason !== 'UPSTREAM_FAILED') throw isRead ? error : afterWrite(error);
      // Tiller's own: its clients want the text whole, and the log no stack
      call.finish(failure.code, failure.message, maxPassedChars);
      return failure.code;
    }
    return Code.OK;
  };
}

function metadataOf(headers: Record<string, unknown>): grpc.Metadata {
  const metadata = new grpc.Metadata();
  for (const name of passedMetadata) {
    const value = headers[name];
    // what is no printable ASCII grpc-js refuses with an exception
    if (typeof value === 'string' && /^[ -~]*$/.test(value)) metadata.set(name, value);
  }
  return metadata;
}
