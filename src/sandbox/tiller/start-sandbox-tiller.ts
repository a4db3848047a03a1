import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as grpc from '@grpc/grpc-js';
import { service } from '../../codec/schema.ts';
import type { GatewayError } from '../../protocol/index.ts';
import { type Answer, CallFront, methodDefinition } from './call-front.ts';
import { SimulatedCluster } from './cluster.ts';
import { type Handler, handlers } from './handlers.ts';
import { checkHealth, healthService } from './health.ts';
import type { Interceptor } from './interceptor.ts';
import { readManifestObjects } from './manifest-objects.ts';
import { maxMessageBytes } from './methods/list-releases.ts';
import { statusOf } from './new-release.ts';
import { RevisionFolder } from './revision-folder.ts';
import { RevisionStore, type StoreBounds } from './revision-store.ts';
import type { TillerState } from './state.ts';
import { TillerCrash, toTillerError } from './tiller-error.ts';

export interface SandboxTillerOptions {
  /** A free port of 127.0.0.1, or a Unix socket in a folder that only this user can enter. Default: `loopback`. */
  readonly listen?: 'loopback' | 'unix';
  /** Where releases are kept across restarts. Default: in memory only. */
  readonly folder?: string | undefined;
  /** Default: 10,000 revisions of 512 MiB together. */
  readonly bounds?: Partial<StoreBounds>;
  /** Told in a sentence of each kept file that cannot be read, and of what else is wrong but not fatal. Default: nothing. */
  readonly report?: (problem: string) => void;
  /** For tests of faults; see `Interceptor`. */
  readonly intercept?: Interceptor;
  /** Default: the system's clock. */
  readonly now?: () => Date;
}

export interface SandboxTiller {
  /** `127.0.0.1:port` or `unix:/path` */
  readonly address: string;
  /** How often a real Tiller would have crashed, on a negative limit for instance. */
  readonly crashes: number;
  /** Ends after the calls under way, or after a second. */
  stop(): Promise<void>;
}

export const defaultBounds: StoreBounds = { maxRevisions: 10_000, maxBytes: 512 * 1024 * 1024 };

const tillerService = 'hapi.services.tiller.ReleaseService';
const stopGraceMs = 1_000;

/** Tiller's own settings, as far as grpc-js has them. It answers pings that come too often all the same. */
const serverOptions: grpc.ServerOptions = {
  'grpc.max_receive_message_length': maxMessageBytes,
  'grpc.max_send_message_length': maxMessageBytes,
  'grpc.max_connection_idle_ms': 600_000,
  'grpc.max_concurrent_streams': 1_000,
};

/**
 * Starts an in-memory Tiller 2.17.0 on a socket of its own, to be spoken to like any Tiller. The caller stops it.
 * @throws Error of the file system or of the socket
 */
export async function startSandboxTiller(options: SandboxTillerOptions = {}): Promise<SandboxTiller> {
  const state = await openState(options);
  let crashes = 0;
  const front = new CallFront({
    intercept: options.intercept,
    onFailure: (error: GatewayError) => {
      if (error instanceof TillerCrash) crashes++;
    },
  });
  const server = createServer(state, front);
  const place =
    options.listen === 'unix' ? await privateSocket() : { bind: '127.0.0.1:0', close: async () => {} };
  try {
    const port = await bind(server, place.bind);
    return {
      address: options.listen === 'unix' ? place.bind : `127.0.0.1:${port}`,
      get crashes() {
        return crashes;
      },
      stop: async () => {
        await shutdown(server);
        await place.close();
      },
    };
  } catch (error) {
    await place.close();
    throw error;
  }
}

async function openState(options: SandboxTillerOptions): Promise<TillerState> {
  const report = options.report ?? (() => {});
  const now = options.now ?? (() => new Date());
  const folder = options.folder === undefined ? undefined : await RevisionFolder.open(options.folder);
  const store = await RevisionStore.open({ ...defaultBounds, ...options.bounds }, now, folder, report);
  const cluster = new SimulatedCluster();
  restoreCluster(store, cluster, report);
  return { store, cluster, now };
}

/** What kept releases had in the cluster counts as being there still. */
function restoreCluster(
  store: RevisionStore,
  cluster: SimulatedCluster,
  report: (problem: string) => void,
): void {
  for (const name of store.names()) {
    const release = store.last(name);
    if (statusOf(release) === 'DELETED') continue;
    try {
      const createdAt = new Date((release.info?.last_deployed?.seconds ?? 0) * 1000);
      cluster.restore(readManifestObjects(release.manifest, release.namespace), createdAt);
    } catch (error) {
      report(`the manifest of ${name} cannot be read: ${(error as Error).message}`);
    }
  }
}

function createServer(state: TillerState, front: CallFront): grpc.Server {
  const server = new grpc.Server(serverOptions);
  const { methods } = service(tillerService);
  server.addService(
    Object.fromEntries(
      methods.map(({ name, serverStreaming }) => [
        name,
        methodDefinition(tillerService, name, serverStreaming),
      ]),
    ),
    Object.fromEntries(
      methods.map(({ name, serverStreaming }) => {
        const answer = answerBy(state, handlers[name]!);
        return [name, serverStreaming ? front.stream(name, answer) : front.unary(name, answer)];
      }),
    ),
  );
  server.addService(
    { Check: methodDefinition(healthService, 'Check', false) },
    {
      Check: front.unary('Check', async function* (request) {
        yield checkHealth(request);
      }),
    },
  );
  return server;
}

function answerBy(state: TillerState, handler: Handler): Answer {
  return async function* (request) {
    try {
      yield* handler(state, request);
    } catch (error) {
      throw toTillerError(error);
    }
  };
}

/** mkdtemp makes the folder for this user alone. */
async function privateSocket(): Promise<{ bind: string; close: () => Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'tiller-gateway-'));
  return {
    bind: `unix:${join(folder, 'tiller.sock')}`,
    close: () => rm(folder, { recursive: true, force: true }),
  };
}

function bind(server: grpc.Server, address: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(address, grpc.ServerCredentials.createInsecure(), (error, port) =>
      error ? reject(error) : resolve(port),
    );
  });
}

function shutdown(server: grpc.Server): Promise<void> {
  return new Promise(resolve => {
    const timer = setTimeout(() => server.forceShutdown(), stopGraceMs);
    server.tryShutdown(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}
