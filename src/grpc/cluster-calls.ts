import type { IncomingHttpHeaders } from 'node:http2';
import * as grpc from '@grpc/grpc-js';
import type { Backend, TillerCalls } from '../backends/index.ts';
import { adhocLabel, type Registry } from '../clusters/index.ts';
import { isReadOnly, service } from '../codec/index.ts';
import { afterWrite, Code, GatewayError } from '../protocol/index.ts';
import { type ReleaseMethod, type ReleaseService, toCheckedRequest } from '../releases/index.ts';
import { type CallHandler, parsingRequests } from './call.ts';
import type { ServerCall } from './server-call.ts';

/** Tiller's own service, which its own clients call through the gateway. */
export const tillerService = service('hapi.services.tiller.ReleaseService');

/** The handlers of the contract's services and of Tiller's own, given what answers for the cluster. */
export function clusterHandlers(
  releases: ReleaseService,
  tap: MessageTap | undefined,
): Map<string, (backend: Backend) => CallHandler<ServerCall>> {
  const handlers = new Map<string, (backend: Backend) => CallHandler<ServerCall>>();
  for (const method of releases.methods)
    handlers.set(method.contract.path, backend => releaseHandler(method, backend));
  for (const method of tillerService.methods) {
    handlers.set(method.path, backend => {
      if (backend.kind === 'tiller') return passThroughHandler(backend.tiller, isReadOnly(method), tap);
      const message = `the cluster is reached through its gateway's HTTP API, which ${tillerService.name} cannot pass: call ${releases.names[0]}`;
      throw new GatewayError(Code.UNIMPLEMENTED, message);
    });
  }
  return handlers;
}

/** Only configured names become labels, whatever a caller sends. */
export function clusterLabel(headers: IncomingHttpHeaders, registry: Registry): string | undefined {
  if (!registry.hasMany) return undefined;
  if (headers['x-kubeapiserver'] !== undefined) return adhocLabel;
  const name = headers['x-cluster'] ?? registry.defaultCluster;
  if (name === undefined) return undefined;
  return registry.clusters.some(cluster => cluster.name === name) ? String(name) : 'unknown';
}

/** Answers a method of the contract: bytes in, bytes out. */
export function releaseHandler(method: ReleaseMethod, backend: Backend): CallHandler {
  return parsingRequests(async call => {
    const request = await call.request();
    if (method.kind === 'unary') {
      const reply = await method.call(backend, request, call);
      await call.send(reply).catch((error: unknown) => {
        throw isReadOnly(method.contract) ? error : afterWrite(error);
      });
    } else for await (const message of method.call(backend, request, call)) await call.send(message);
    return Code.OK;
  });
}

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
function passThroughHandler(tiller: TillerCalls, isRead: boolean, tap?: MessageTap): CallHandler<ServerCall> {
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
