import type { IncomingHttpHeaders } from 'node:http2';
import type { Backend } from '../backends/index.ts';
import { adhocLabel, type Registry } from '../clusters/index.ts';
import type { Service } from '../codec/index.ts';
import { afterWrite, Code, GatewayError } from '../protocol/index.ts';
import type { ReleaseMethod, ReleaseService } from '../releases/index.ts';
import { type CallHandler, parsingRequests } from './call.ts';
import { type MessageTap, passThroughHandler } from './pass-through.ts';
import type { ServerCall } from './server-call.ts';

/** The handlers of the contract's services and of Tiller's own, given what answers for the cluster. */
export function clusterHandlers(
  releases: ReleaseService,
  tillerService: Service,
  tap: MessageTap | undefined,
): Map<string, (backend: Backend) => CallHandler<ServerCall>> {
  const native = releases.methods.map(
    method => [method.contract.path, (backend: Backend) => releaseHandler(method, backend)] as const,
  );
  const passed = tillerService.methods.map(
    ({ path, idempotency }) =>
      [
        path,
        (backend: Backend) => {
          if (backend.kind === 'tiller')
            return passThroughHandler(backend.tiller, idempotency === 'NO_SIDE_EFFECTS', tap);
          const message = `the cluster is reached through its gateway's HTTP API, which ${tillerService.name} cannot pass: call ${releases.names[0]}`;
          throw new GatewayError(Code.UNIMPLEMENTED, message);
        },
      ] as const,
  );
  return new Map([...native, ...passed]);
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
        throw method.contract.idempotency === 'NO_SIDE_EFFECTS' ? error : afterWrite(error);
      });
    } else for await (const message of method.call(backend, request, call)) await call.send(message);
    return Code.OK;
  });
}
