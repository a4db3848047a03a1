import {
  notInNamespace,
  type TillerCalls,
  type TillerMethod,
  translateTillerError,
} from '../backends/index.ts';
import { decodeMessage, encodeMessage, type Release } from '../codec/index.ts';
import { type CallContext, GatewayError } from '../protocol/index.ts';
import type { ReleaseName } from './request-fields.ts';
import { tillerTimeMs, toCheckedRequest } from './tiller-request.ts';

/** The most revisions that are looked through for the one that is deployed. */
const maxRevisions = 256;

/**
 * The calls of Tiller that serve one request of a client. Each request is checked first, and each call may take as long as
 * its request lets Tiller take.
 */
export class TillerSession {
  readonly tiller: TillerCalls;
  readonly context: CallContext;

  constructor(tiller: TillerCalls, context: CallContext) {
    this.tiller = tiller;
    this.context = context;
  }

  async ask(method: TillerMethod, request: Uint8Array): Promise<Buffer> {
    const checked = await toCheckedRequest(method, request, this.context);
    return this.tiller.unary(method, checked, this.context, tillerTimeMs(method, checked));
  }

  async *stream(method: TillerMethod, request: Uint8Array): AsyncGenerator<Buffer, void, undefined> {
    const checked = await toCheckedRequest(method, request, this.context);
    yield* this.tiller.stream(method, checked, this.context, tillerTimeMs(method, checked));
  }

  /**
   * The latest revisions of a release, newest first. Tiller is asked, not the records: a write depends on the answer, and
   * it has to be of Helm 2's release, whose name is unique in the cluster.
   * @throws GatewayError what Tiller says where there is no such release
   */
  async existingRevisions(name: string, max = 1): Promise<Release[]> {
    const request = encodeMessage('hapi.services.tiller.GetHistoryRequest', { name, max });
    const reply = await this.ask('GetHistory', request);
    return decodeMessage('hapi.services.tiller.GetHistoryResponse', reply).releases;
  }

  /** As `existingRevisions`, but an empty list where there is no such release. */
  async latestRevisions(name: string, max = 1): Promise<Release[]> {
    try {
      return await this.existingRevisions(name, max);
    } catch (error) {
      if (isReleaseNotFound(error)) return [];
      throw error;
    }
  }

  /**
   * The revision that is deployed, which failed ones may hide.
   * @param seen the latest revision, where it was looked at already
   */
  async deployedRevision(name: string, seen?: readonly Release[]): Promise<Release | undefined> {
    let revisions = seen ?? (await this.latestRevisions(name));
    // revisions come whole, so that no more are asked for than need be
    for (const max of [10, maxRevisions]) {
      if (revisions.length === 0 || revisions.some(isDeployed)) break;
      revisions = await this.latestRevisions(name, max);
    }
    return revisions.find(isDeployed);
  }

  /**
   * Checks before a write that the release is in the namespace that the request names. What another client does between
   * the check and the write is not seen: Tiller's own requests name no namespace.
   * @returns the latest revision; undefined where nothing had to be looked at
   * @throws GatewayError NOT_FOUND for a release of another namespace
   */
  async requireNamespace({ name, namespace }: ReleaseName): Promise<readonly Release[] | undefined> {
    if (namespace === '') return undefined;
    const seen = await this.latestRevisions(name);
    if (seen[0]?.namespace !== namespace) throw notInNamespace(name, namespace);
    return seen;
  }
}

function isDeployed({ info }: Release): boolean {
  return info?.status?.code === 'DEPLOYED';
}

/** Whether Tiller said that there is no such release, with `--tiller-errors raw` as well. */
export function isReleaseNotFound(error: unknown): boolean {
  if (!(error instanceof GatewayError) || error.step !== undefined) return false;
  const { code, message, reason } = error;
  return reason === 'RELEASE_NOT_FOUND' || translateTillerError(code, message).reason === 'RELEASE_NOT_FOUND';
}
