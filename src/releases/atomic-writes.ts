import { createHash } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { outcomeOf, saysNothingBegan } from '../backends/index.ts';
import { type Chart, decodeMessage, encodeMessage, type Release, type StatusCode } from '../codec/index.ts';
import { Code, GatewayError, invalidArgument, minTimeoutMs } from '../protocol/index.ts';
import { toCheckedRequest } from './tiller-request.ts';
import { isReleaseNotFound, TillerSession } from './tiller-session.ts';
import type { UnfinishedWrites } from './unfinished-writes.ts';

interface AtomicTimes {
  /** Between two looks at a release whose change has an unknown outcome. */
  readonly pollMs: number;
  /** How long such a change may take until its record is there. */
  readonly unseenMs: number;
  /** How long a look is tried again while Tiller cannot be reached. */
  readonly lookMs: number;
  /** Milliseconds; for tests. */
  readonly now: () => number;
}

const defaultTimes: AtomicTimes = {
  pollMs: 1_000,
  unseenMs: 10_000,
  lookMs: 30_000,
  now: () => performance.now(),
};

type Method = 'InstallRelease' | 'UpdateRelease';

/** A change that is undone where it fails. */
interface Attempt {
  readonly method: Method;
  readonly name: string;
  /** What Tiller and the undo may take, each. */
  readonly timeoutMs: number;
  /** Whether a revision is what this attempt has made: it has the chart that was sent, and the values. */
  readonly made: (release: Release) => boolean;
  /** The latest revision before; 0 for none. */
  readonly versionBefore: number;
  undo(session: TillerSession): Promise<unknown>;
}

/** How an undo is called in messages, as Helm's client calls it. */
const words = {
  InstallRelease: { what: 'install', undone: 'uninstalled', undoing: 'uninstalling' },
  UpdateRelease: { what: 'upgrade', undone: 'rolled back', undoing: 'rolling back' },
} as const;

const isPending = (code: StatusCode | undefined) => /^PENDING_/.test(code ?? '');

/**
 * Installs and upgrades that are undone where they fail (`atomic`): a failed installation is purged, a failed upgrade
 * rolled back to the revision that was deployed before. Nothing is sent twice, and nothing is undone but a revision that
 * the attempt itself has made; where that is not sure after looking at the release, it stays, and the error says so.
 */
export class AtomicWrites {
  readonly #unfinished: UnfinishedWrites;
  readonly #times: AtomicTimes;

  constructor(unfinished: UnfinishedWrites, times: Partial<AtomicTimes> = {}) {
    this.#unfinished = unfinished;
    this.#times = { ...defaultTimes, ...times };
  }

  /**
   * Goes on without its client, in a time that the request's `timeout` bounds.
   * @param request of `hapi.services.tiller`, with `wait`
   * @param seen the latest revision, where it was looked at already
   * @throws GatewayError with the code of the failure; reason UNDO_FAILED where the undo failed as well, or was not done
   */
  async run(
    session: TillerSession,
    method: Method,
    request: Uint8Array,
    seen?: readonly Release[],
  ): Promise<Buffer> {
    const { tiller, context } = session;
    const checked = await toCheckedRequest(method, request, context);
    const prepare = method === 'InstallRelease' ? prepareInstall : prepareUpdate;
    const attempt = await prepare(session, checked, seen);
    const what = `${method} of release ${attempt.name}`;
    return this.#unfinished.run(what, checked.length, context, async own => {
      try {
        return await tiller.unary(method, checked, own, attempt.timeoutMs);
      } catch (error) {
        throw await this.#settle(new TillerSession(tiller, own), attempt, GatewayError.from(error));
      }
    });
  }

  /** Looks at what the failed attempt has left, and undoes it. @returns what the caller is told */
  async #settle(session: TillerSession, attempt: Attempt, failure: GatewayError): Promise<GatewayError> {
    const { name, method, made } = attempt;
    const { undone, undoing, what } = words[method];
    const outcome = session.context.signal.aborted ? 'unknown' : outcomeOf(failure);
    if (outcome === 'unsent' || (outcome === 'answered' && saysNothingBegan(failure.message))) return failure;
    const failed = (how: string, cause: GatewayError) =>
      worse(failure, `${how} the release. original ${what} error: ${failure.message}: ${cause.message}`);
    let latest: Release | undefined;
    try {
      latest = await this.#look(session, attempt, outcome);
    } catch (error) {
      return failed('an error occurred while looking at', GatewayError.from(error));
    }
    if (!latest) return failure;
    const revision = `revision ${latest.version}`;
    const status = latest.info?.status?.code;
    if (!made(latest))
      return more(failure, `${failure.message}; ${revision}, which came meanwhile, was left as it is`);
    if (status === 'DEPLOYED')
      return more(failure, `${failure.message}; ${revision} is deployed all the same, and was left so`);
    if (status !== 'FAILED' && !(isPending(status) && outcome === 'answered'))
      return worse(failure, `${failure.message}; ${revision} is ${status}, and was not ${undone}`);
    try {
      await attempt.undo(session);
    } catch (error) {
      if (!isReleaseNotFound(error))
        return failed(`an error occurred while ${undoing}`, GatewayError.from(error));
    }
    return more(
      failure,
      `release ${name} failed, and has been ${undone} due to atomic being set: ${failure.message}`,
    );
  }

  /**
   * The revision that came since the attempt began. Where nobody knows what the attempt has done, its revision is awaited
   * until it is no more pending: Tiller goes on without us.
   */
  async #look(
    session: TillerSession,
    { name, versionBefore, timeoutMs }: Attempt,
    outcome: 'answered' | 'unknown',
  ): Promise<Release | undefined> {
    const { pollMs, unseenMs, lookMs, now } = this.#times;
    const startedAt = now();
    let heardAt = startedAt;
    for (;;) {
      const elapsedMs = now() - startedAt;
      try {
        const [latest] = await session.latestRevisions(name);
        heardAt = now();
        const isNew = latest !== undefined && latest.version > versionBefore;
        const isOver = isNew
          ? !isPending(latest.info?.status?.code) || elapsedMs > timeoutMs
          : elapsedMs > unseenMs;
        if (outcome === 'answered' || isOver) return isNew ? latest : undefined;
      } catch (error) {
        const isUnreachable = error instanceof GatewayError && error.code === Code.UNAVAILABLE;
        if (!isUnreachable || now() - heardAt > lookMs) throw error;
      }
      await wait(pollMs, undefined, { signal: session.context.signal });
    }
  }
}

async function prepareInstall(
  session: TillerSession,
  request: Buffer,
  seen?: readonly Release[],
): Promise<Attempt> {
  const { name, timeout, chart, values, disable_hooks } = decodeMessage(
    'hapi.services.tiller.InstallReleaseRequest',
    request,
  );
  if (name === '') throw invalidArgument('atomic: the release needs a name, by which it can be purged');
  const [latest] = seen ?? (await session.latestRevisions(name));
  return {
    method: 'InstallRelease',
    name,
    timeoutMs: minTimeoutMs(BigInt(timeout)),
    made: sameContent(chart, values?.raw ?? ''),
    versionBefore: latest?.version ?? 0,
    undo: own => {
      const purge = { name, disable_hooks, purge: true, timeout };
      const wire = encodeMessage('hapi.services.tiller.UninstallReleaseRequest', purge);
      return own.ask('UninstallRelease', wire);
    },
  };
}

async function prepareUpdate(
  session: TillerSession,
  request: Buffer,
  seen?: readonly Release[],
): Promise<Attempt> {
  const asked = decodeMessage('hapi.services.tiller.UpdateReleaseRequest', request);
  const { name, timeout, chart, values, disable_hooks, recreate, force, cleanup_on_fail } = asked;
  const raw = values?.raw ?? '';
  // Tiller makes the values of those before where it is asked to, or none are given
  const isAsGiven = asked.reset_values || (!asked.reuse_values && raw !== '' && raw !== '{}\n');
  const latest = seen ?? (await session.latestRevisions(name));
  const deployed = (await session.deployedRevision(name, latest))?.version;
  return {
    method: 'UpdateRelease',
    name,
    timeoutMs: minTimeoutMs(BigInt(timeout)),
    made: sameContent(chart, isAsGiven ? raw : undefined),
    versionBefore: latest[0]?.version ?? 0,
    async undo(own) {
      if (deployed === undefined)
        throw new GatewayError(Code.FAILED_PRECONDITION, 'no revision of it was deployed before');
      const options = { disable_hooks, recreate, force, cleanup_on_fail, timeout, wait: true };
      const wire = encodeMessage('hapi.services.tiller.RollbackReleaseRequest', {
        name,
        version: deployed,
        ...options,
      });
      return own.ask('RollbackRelease', wire);
    },
  };
}

/** Whether a release has this chart (its name, version and templates) and these values. Only a digest is kept. */
function sameContent(chart: Chart | null, raw: string | undefined): (release: Release) => boolean {
  const sent = digestOf(chart, raw);
  return release =>
    digestOf(release.chart, raw === undefined ? undefined : (release.config?.raw ?? '')) === sent;
}

function digestOf(chart: Chart | null, raw: string | undefined): string {
  const hash = createHash('sha256');
  const add = (part: string | Uint8Array) => hash.update(`${part.length} `).update(part);
  for (const text of [chart?.metadata?.name, chart?.metadata?.version, raw]) add(text ?? '');
  for (const { name, data } of chart?.templates ?? []) {
    add(name);
    add(data);
  }
  return hash.digest('hex');
}

/** The failure in other words. */
function more(failure: GatewayError, message: string): GatewayError {
  const { code, reason, step } = failure;
  return new GatewayError(code, message, { reason, step, cause: failure });
}

/** The failure, of which something is left. */
function worse(failure: GatewayError, message: string): GatewayError {
  return new GatewayError(failure.code, message, { reason: 'UNDO_FAILED', cause: failure });
}
