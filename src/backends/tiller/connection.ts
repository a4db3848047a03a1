import { setTimeout as sleep } from 'node:timers/promises';
import * as grpc from '@grpc/grpc-js';
import { decodeMessage } from '../../codec/index.ts';
import { Code, callScope, GatewayError, header, orAborted, unavailable } from '../../protocol/index.ts';
import { CallFailure, callUnary, type UnansweredCall } from './call.ts';
import { Channel, type ChannelOptions } from './channel.ts';

/** Pause between attempts: doubles from the first to the last, with a random part so that many gateways spread. */
const firstPauseMs = 200;
const lastPauseMs = 3_000;

export interface ConnectionOptions extends ChannelOptions {
  /** How long a call waits, over several attempts, before it fails for want of a connection. */
  readonly waitMs: number;
  readonly onOpened?: (connection: OpenConnection) => void;
  readonly onLost?: (target: string, reason: string) => void;
  readonly onAttemptFailed?: (error: GatewayError) => void;
}

/** An open connection to a Tiller whose version is known. */
export interface OpenConnection {
  readonly calls: grpc.ChannelInterface;
  /** What Tiller calls itself, such as `v2.17.0`; calls say that they speak the same. */
  readonly version: string;
  /** Says that the gateway speaks the same version. grpc-js sends a copy, so all calls share it. */
  readonly metadata: { readonly once: grpc.Metadata; readonly idempotent: grpc.Metadata };
  readonly target: string;
}

/**
 * One channel, connected on first use, shared by all calls, and kept. grpc-js connects it again when its connection is
 * lost; here Tiller's version is asked each time, and callers wait within bounds.
 */
export class Connection {
  /** Idempotent calls in progress that nobody has answered: they wait in grpc-js when the connection is lost. */
  readonly unanswered = new Set<UnansweredCall>();
  readonly #options: ConnectionOptions;
  readonly #stopped = new AbortController();
  #channel: Channel | undefined;
  #open: OpenConnection | undefined;
  #attempt: Promise<OpenConnection> | undefined;
  /** Attempts that failed one after the other: how many, since when on the monotonic clock, and why the last one did. */
  #failed: { readonly count: number; readonly since: number; readonly last: GatewayError } | undefined;

  constructor(options: ConnectionOptions) {
    this.#options = options;
  }

  /** The connection if it is open and takes calls. */
  get open(): OpenConnection | undefined {
    return this.#channel?.ready ? this.#open : undefined;
  }

  /**
   * The connection, opened if need be. Waits for `waitMs` at the most; when attempts have failed for longer than that
   * already, the last failure is given at once, so that a dead Tiller does not hold every caller.
   * @throws GatewayError of the last attempt, or the signal's reason
   */
  async get(signal: AbortSignal | undefined): Promise<OpenConnection> {
    const giveUpAt = performance.now() + this.#options.waitMs;
    const late = () => this.#failed?.last ?? unavailable('no connection to Tiller could be opened in time');
    for (;;) {
      if (this.open) return this.open;
      if (signal?.aborted) throw GatewayError.from(signal.reason);
      if (this.#failed && this.#failedFor() > this.#options.waitMs && this.#attempt) throw this.#failed.last;
      const scope = callScope({ signal, deadline: giveUpAt, late });
      try {
        // only this caller's waiting ends then, not the attempt
        return await orAborted(this.#sharedAttempt(), scope.signal);
      } catch (error) {
        const failure = GatewayError.from(error);
        const hopeless = failure.code !== Code.UNAVAILABLE || this.#stopped.signal.aborted || signal?.aborted;
        if (hopeless || performance.now() >= giveUpAt || this.#failedFor() > this.#options.waitMs)
          throw failure;
      } finally {
        scope.end();
      }
    }
  }

  /** Opens the connection for later calls, if it is not open. The options' events tell how that goes. */
  reopen(): void {
    if (!this.open && !this.#stopped.signal.aborted) this.#sharedAttempt();
  }

  /** Has the next call open a new channel; calls in progress on `used` finish. */
  replace(used: OpenConnection): void {
    if (this.#open !== used) return;
    this.#channel?.close();
    this.#channel = undefined;
    this.#open = undefined;
  }

  /** Lets calls in progress finish; no new connection is opened afterwards. `reason` is what waiting callers are told. */
  close(reason = 'the gateway is stopping'): void {
    this.#stopped.abort(unavailable(reason));
    this.#channel?.close();
  }

  destroy(): void {
    this.close();
    this.#channel?.destroy();
  }

  #failedFor(): number {
    return this.#failed ? performance.now() - this.#failed.since : 0;
  }

  #sharedAttempt(): Promise<OpenConnection> {
    if (this.#attempt) return this.#attempt;
    const attempt = this.#openAfterPause().finally(() => {
      this.#attempt = undefined;
    });
    attempt.catch(() => {}); // its callers may all have gone by the time it fails
    this.#attempt = attempt;
    return attempt;
  }

  async #openAfterPause(): Promise<OpenConnection> {
    const { signal } = this.#stopped;
    if (this.#failed) {
      const pauseMs = pauseAfter(this.#failed.count);
      const pause = sleep(pauseMs, undefined, { signal }).catch(() => {});
      await (this.#channel ? Promise.race([pause, this.#channel.backOff(pauseMs)]) : pause);
    }
    const { onOpened, onAttemptFailed } = this.#options;
    try {
      signal.throwIfAborted();
      const opened = await this.#openOnce();
      signal.throwIfAborted();
      this.#failed = undefined;
      onOpened?.(opened);
      return opened;
    } catch (error) {
      if (signal.aborted) throw GatewayError.from(signal.reason);
      const { count = 0, since = performance.now() } = this.#failed ?? {};
      const last = GatewayError.from(error);
      this.#failed = { count: count + 1, since, last };
      onAttemptFailed?.(last);
      throw last;
    }
  }

  async #openOnce(): Promise<OpenConnection> {
    this.#channel ??= await Channel.open(this.#options);
    const channel = this.#channel;
    if (this.#stopped.signal.aborted) channel.destroy();
    const version = await this.#askVersion(channel);
    if (!channel.ready) throw unavailable(`the connection to ${channel.target} was closed`);
    const metadata = { once: metadataOf(version, false), idempotent: metadataOf(version, true) };
    const opened = { calls: channel.calls, version, metadata, target: channel.target };
    this.#open = opened;
    channel.onLost(reason => this.#onLost(opened, reason));
    return opened;
  }

  /** GetVersion is the one call that Tiller answers to clients of every version. It makes grpc-js connect, too. */
  async #askVersion(channel: Channel): Promise<string> {
    const { connectTimeoutMs } = this.#options;
    try {
      const reply = await callUnary('GetVersion', Buffer.alloc(0), {
        channel: channel.calls,
        metadata: new grpc.Metadata(),
        timeoutMs: connectTimeoutMs,
        signal: this.#stopped.signal,
      });
      return decodeMessage('hapi.services.tiller.GetVersionResponse', reply).Version?.sem_ver ?? '';
    } catch (cause) {
      if (!(cause instanceof CallFailure)) throw cause;
      if (cause.code === Code.UNAVAILABLE || cause.code === Code.CANCELLED)
        throw await channel.explain(cause.details);
      if (cause.code === Code.DEADLINE_EXCEEDED) {
        // grpc-js has no bound on a handshake: the attempt ends with its channel
        this.#channel = undefined;
        const seconds = connectTimeoutMs / 1000;
        const late = unavailable(`Tiller was not reached within ${seconds} s`, { step: channel.step });
        channel.destroy();
        throw late;
      }
      const step = `asking the version of ${channel.target}`;
      throw new GatewayError(cause.code, `${step} failed: ${cause.details}`, { step, cause });
    }
  }

  #onLost(lost: OpenConnection, reason: string): void {
    if (this.#open !== lost) return; // replaced
    this.#open = undefined;
    if (this.#stopped.signal.aborted) return;
    this.#options.onLost?.(lost.target, reason);
    // grpc-js holds calls that it tries again until there is a connection: they wait as long as new ones do
    const waiting = [...this.unanswered];
    if (waiting.length === 0) return;
    this.get(this.#stopped.signal).catch((failure: GatewayError) => {
      for (const call of waiting) if (this.unanswered.has(call)) call.fail(failure);
    });
  }
}

/** @param waitForReady calls that are tried again wait for the connection; `Connection` bounds how long */
function metadataOf(version: string, waitForReady: boolean): grpc.Metadata {
  const metadata = new grpc.Metadata({ waitForReady });
  metadata.set(header.helmClient, version);
  return metadata;
}

function pauseAfter(failures: number): number {
  const bound = Math.min(firstPauseMs * 2 ** (failures - 1), lastPauseMs);
  return bound / 2 + (Math.random() * bound) / 2;
}
