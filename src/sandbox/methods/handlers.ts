import { tillerVersion } from '@tiller-gateway/helm-render/versions';
import { selectReleases, writeReleases } from '../../backends/index.ts';
import {
  decodeMessage,
  encodeMessage,
  type MessageTypes,
  messageType,
  type Release,
} from '../../codec/index.ts';
import { Code, GatewayError } from '../../protocol/index.ts';
import type { TillerState } from '../state/tiller-state.ts';
import { TillerCrash } from '../work/tiller-error.ts';
import { getHistory, getReleaseContent, getReleaseStatus } from './get-release.ts';
import { asGoReads } from './go-message.ts';
import { installRelease } from './install-release.ts';
import { rollbackRelease } from './rollback-release.ts';
import { runReleaseTest } from './run-release-test.ts';
import { uninstallRelease } from './uninstall-release.ts';
import { updateRelease } from './update-release.ts';

/** A method: a request's bytes to its answers' bytes, one for a unary method. */
export type Handler = (state: TillerState, request: Buffer) => AsyncGenerator<Buffer>;

type TillerMessage = Extract<keyof MessageTypes, `hapi.services.tiller.${string}`>;

const prefix = 'hapi.services.tiller.';

const version = {
  sem_ver: tillerVersion.semVer,
  git_commit: tillerVersion.gitCommit,
  git_tree_state: tillerVersion.gitTreeState,
};

/** The methods of `hapi.services.tiller.ReleaseService`, by name. */
export const handlers: Readonly<Record<string, Handler>> = {
  GetVersion: handle(`${prefix}GetVersionRequest`, () =>
    encodeMessage(`${prefix}GetVersionResponse`, { Version: version }),
  ),
  GetReleaseContent: handle(`${prefix}GetReleaseContentRequest`, getReleaseContent),
  GetReleaseStatus: handle(`${prefix}GetReleaseStatusRequest`, getReleaseStatus),
  GetHistory: handle(`${prefix}GetHistoryRequest`, getHistory),
  InstallRelease: handle(`${prefix}InstallReleaseRequest`, async (state, request) =>
    encodeMessage(`${prefix}InstallReleaseResponse`, sendable(state, await installRelease(state, request))),
  ),
  UpdateRelease: handle(`${prefix}UpdateReleaseRequest`, async (state, request) =>
    encodeMessage(`${prefix}UpdateReleaseResponse`, sendable(state, await updateRelease(state, request))),
  ),
  RollbackRelease: handle(`${prefix}RollbackReleaseRequest`, async (state, request) =>
    encodeMessage(`${prefix}RollbackReleaseResponse`, await rollbackRelease(state, request)),
  ),
  UninstallRelease: handle(`${prefix}UninstallReleaseRequest`, async (state, request) =>
    encodeMessage(`${prefix}UninstallReleaseResponse`, await uninstallRelease(state, request)),
  ),
  ListReleases: async function* (state, bytes) {
    const request = read(`${prefix}ListReleasesRequest`, bytes);
    const negativeLimit = (limit: number) => new TillerCrash(`limit ${limit}`);
    yield* writeReleases(selectReleases(state.store.all(), request, { negativeLimit }), ({ wire }) => wire);
  },
  RunReleaseTest: async function* (state, bytes) {
    for await (const line of runReleaseTest(state, read(`${prefix}TestReleaseRequest`, bytes))) {
      yield encodeMessage(`${prefix}TestReleaseResponse`, line);
    }
  },
};

/** @throws GatewayError INTERNAL with grpc-go's words for a release that is no message of protobuf */
function sendable<Reply extends { release: Release | null }>(state: TillerState, reply: Reply): Reply {
  const fault = state.store.messageFault(reply.release);
  if (fault === undefined) return reply;
  throw new GatewayError(Code.INTERNAL, `grpc: error while marshaling: ${fault}`);
}

/** Reads a request as Tiller's own library does: what that skips is not there. */
function read<Name extends TillerMessage>(requestType: Name, bytes: Uint8Array): MessageTypes[Name] {
  return decodeMessage(requestType, asGoReads(messageType(requestType), bytes));
}

function handle<Name extends TillerMessage>(
  requestType: Name,
  method: (state: TillerState, request: MessageTypes[Name]) => Buffer | Promise<Buffer>,
): Handler {
  return async function* (state, bytes) {
    yield await method(state, read(requestType, bytes));
  };
}
