import { readFileSync } from 'node:fs';
import type { ClientHttp2Session } from 'node:http2';
import { checkServerIdentity, connect as connectTls } from 'node:tls';
import * as grpc from '@grpc/grpc-js';
import { addressText, type Connector } from '../../kubernetes/index.ts';
import { GatewayError, invalidArgument, stepFailed, unavailable } from '../../protocol/index.ts';
import { Bridge } from './bridge.ts';
import { idempotentMethods, tillerService } from './methods.ts';
import { claimSessions, type SessionClaim } from './tiller-sessions.ts';

// it would write what a peer sends oddly to stderr: unmasked, without bound, past the log
grpc.setLogVerbosity(grpc.logVerbosity.NONE);

/** Room for one answer to come in before it is acknowledged: much more than HTTP/2's 64 KiB, which halves throughput. */
const streamWindowBytes = 4 * 1024 * 1024;

/** grpc-js's back-off between attempts to connect: grows from the first to the last. */
const firstBackoffMs = 200;
const lastBackoffMs = 3_000;

/** Longer than any timer of Node: a channel stays open without calls. */
const neverMs = 2 ** 31 - 1;

export interface ChannelOptions {
  readonly connector: Connector;
  readonly tls: TillerTls | undefined;
  /** Pause between pings while a call is open. Tiller takes pings faster than every 20 s for an attack. */
  readonly keepaliveMs: number;
  /** How long an answer to a ping may take. */
  readonly keepaliveTimeoutMs: number;
  readonly maxMessageBytes: number;
  /** Bound on one attempt, from finding Tiller to knowing its version. */
  readonly connectTimeoutMs: number;
}

/** One grpc-js channel to Tiller, and what it does not tell: which step failed, and why a connection was lost. */
export class Channel {
  readonly calls: grpc.ChannelInterface;
  readonly #options: ChannelOptions;
  readonly #bridge: Bridge | undefined;
  readonly #claim: SessionClaim;
  readonly #sessions = new Set<ClientHttp2Session>();
  /** True from the HTTP/2 handshake on: TCP and TLS, if it is used, stand. */
  #handshaking = false;
  #closed = false;
  #lostReason: string | undefined;
  #explained: { readonly details: string; readonly failure: GatewayError } | undefined;

  private constructor(options: ChannelOptions, bridge: Bridge | undefined) {
    this.#options = options;
    this.#bridge = bridge;
    this.#claim = claimSessions(this.#watch);
    const { address } = options.connector;
    const target = bridge
      ? `unix:${bridge.path}`
      : address && ('path' in address ? '' : 'dns:///') + addressText(address);
    const tls = channelCredentials(options.tls, () => hostOf(this.#authority));
    this.calls = new grpc.Channel(target ?? '', tls, channelArguments(options, this.#claim.mark));
  }

  /**
   * A fixed address is dialled by grpc-js itself; anything else, such as a tunnel, comes through a private Unix socket.
   * @throws GatewayError for certificates that cannot be used, and where no Unix socket can be made
   */
  static async open(options: ChannelOptions): Promise<Channel> {
    const { connector, connectTimeoutMs } = options;
    const bridge = connector.address ? undefined : await Bridge.open(connector, connectTimeoutMs);
    try {
      return new Channel(options, bridge);
    } catch (error) {
      bridge?.destroy();
      throw error;
    }
  }

  /** Where it leads, for logs and errors. */
  get target(): string {
    const { address, description } = this.#options.connector;
    return this.#bridge?.last.target ?? (address ? addressText(address) : description);
  }

  get ready(): boolean {
    return this.calls.getConnectivityState(false) === grpc.connectivityState.READY;
  }

  /** Runs once, when the open connection takes no more calls. */
  onLost(listener: (reason: string) => void): void {
    this.calls.watchConnectivityState(grpc.connectivityState.READY, Infinity, () => {
      // the session and the tunnel say why in this turn, some before and some after; a new tunnel forgets it
      const known = this.#bridge?.last.lostReason;
      setImmediate(() => {
        const reason = this.#bridge?.last.lostReason ?? known ?? this.#lostReason;
        listener(reason ?? 'the connection was closed');
        this.#lostReason = undefined;
      });
    });
  }

  /** Waits that long; shorter if grpc-js, which goes on trying, gets through. */
  backOff(milliseconds: number): Promise<void> {
    const { TRANSIENT_FAILURE } = grpc.connectivityState;
    const channel = this.calls;
    return new Promise(resolve => {
      if (channel.getConnectivityState(true) !== TRANSIENT_FAILURE) setTimeout(resolve, milliseconds);
      else channel.watchConnectivityState(TRANSIENT_FAILURE, Date.now() + milliseconds, () => resolve());
    });
  }

  /**
   * Why no connection could be opened, in our words and with the step.
   * @param details grpc-js's own
   */
  async explain(details: string): Promise<GatewayError> {
    const { failure } = this.#bridge?.last ?? {};
    if (failure) return failure;
    if (this.#explained?.details === withoutDate(details)) return this.#explained.failure;
    const explained = await this.#explain(reasonIn(details), this.#bridge?.last.lostReason);
    this.#handshaking = false;
    this.#explained = { details: withoutDate(details), failure: explained };
    return explained;
  }

  /** What it is doing, for an attempt that takes too long. */
  get step(): string {
    if (this.#handshaking) return `the HTTP/2 handshake with ${this.target}`;
    return this.#options.tls
      ? `the TLS handshake with Tiller at ${this.target}`
      : `connecting to ${this.target}`;
  }

  /** Lets calls in progress finish, then closes. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.calls.close();
    this.#bridge?.close();
    this.#claim.release();
  }

  /** Closes at once; calls in progress fail. */
  destroy(): void {
    this.close();
    for (const session of this.#sessions) session.destroy();
    this.#bridge?.destroy();
  }

  get #authority(): string {
    const { address } = this.#options.connector;
    return (
      this.#bridge?.last.authority ?? (address && 'host' in address ? addressText(address) : 'localhost')
    );
  }

  readonly #watch = (session: ClientHttp2Session): void => {
    this.#handshaking = true;
    this.#sessions.add(session);
    const closed = () => this.#sessions.delete(session);
    session.once('close', closed);
    session.once('remoteSettings', () =>
      // in this event grpc-js removes all listeners
      process.nextTick(() => {
        this.#handshaking = false;
        this.#explained = undefined;
        session.once('close', closed).on('error', error => {
          this.#lostReason = error.message;
        });
        session.on('goaway', code => {
          this.#lostReason = `Tiller is closing the connection (GOAWAY ${code})`;
        });
      }),
    );
  };

  async #explain(reason: string, lostReason: string | undefined): Promise<GatewayError> {
    const { connector, tls, connectTimeoutMs } = this.#options;
    if (this.#handshaking) {
      const { step } = this;
      if (!tls && (await speaksTls(connector, connectTimeoutMs))) return stepFailed(step, tlsNeeded);
      return stepFailed(step, lostReason ?? reason);
    }
    if (connector.address) {
      try {
        const { stream } = await connector.connect(AbortSignal.timeout(connectTimeoutMs));
        stream.on('error', () => {}).destroy();
      } catch (error) {
        return GatewayError.from(error);
      }
    }
    return tls ? stepFailed(this.step, reason) : unavailable(reason);
  }
}

const tlsNeeded =
  'this Tiller speaks TLS, and no flag asks for it: set --tiller-ca-file, with ' +
  '--tiller-client-cert-file and --tiller-client-private-key-file where it asks for a certificate';

/** Whether a TLS handshake is answered as such; whose certificate comes does not matter. Never throws. */
async function speaksTls(connector: Connector, timeoutMs: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const timeout = AbortSignal.timeout(timeoutMs);
  timeout.addEventListener('abort', () => resolve(false));
  try {
    const { stream } = await connector.connect(timeout);
    stream.on('error', () => {});
    const socket = connectTls({ socket: stream, rejectUnauthorized: false, ALPNProtocols: ['h2'] });
    socket.once('secureConnect', () => resolve(true)).once('close', () => resolve(false));
    // an alert, such as for a missing client certificate, is TLS as well
    socket.on('error', ({ code = '' }: NodeJS.ErrnoException) => resolve(/^ERR_SSL_.*ALERT/.test(code)));
    return await promise.finally(() => stream.destroy());
  } catch {
    return false;
  }
}

function channelArguments(options: ChannelOptions, mark: number): grpc.ChannelOptions {
  return {
    'grpc.primary_user_agent': 'tiller-gateway',
    'grpc.enable_channelz': 0,
    'grpc.enable_http_proxy': 0,
    // channels to one address would share a connection otherwise
    'grpc.use_local_subchannel_pool': 1,
    'grpc.client_idle_timeout_ms': neverMs,
    'grpc.dns_min_time_between_resolutions_ms': firstBackoffMs,
    'grpc.initial_reconnect_backoff_ms': firstBackoffMs,
    'grpc.max_reconnect_backoff_ms': lastBackoffMs,
    'grpc.keepalive_time_ms': options.keepaliveMs,
    'grpc.keepalive_timeout_ms': options.keepaliveTimeoutMs,
    'grpc.keepalive_permit_without_calls': 0,
    'grpc.max_receive_message_length': options.maxMessageBytes,
    'grpc.max_send_message_length': -1,
    // requests are kept by reference, so what is never sent can be sent again whatever its size
    'grpc.per_rpc_retry_buffer_size': neverMs,
    'grpc.retry_buffer_size': neverMs,
    'grpc-node.flow_control_window': streamWindowBytes,
    'grpc-node.max_session_memory': mark,
    'grpc.service_config_disable_resolution': 1,
    'grpc.service_config': JSON.stringify(serviceConfig),
  };
}

/**
 * Idempotent methods are tried once more when nothing was answered: grpc-js retries up to the first header of an answer.
 * Tiller's own errors are UNKNOWN and never retried. CANCELLED is what grpc-js makes of some broken connections. Methods
 * that change something have no policy: grpc-js sends them again only where they were not sent, or refused unprocessed.
 * https://github.com/grpc/proposal/blob/master/A6-client-retries.md
 */
const serviceConfig = {
  loadBalancingConfig: [{ pick_first: {} }],
  methodConfig: [
    {
      name: idempotentMethods.map(method => ({ service: tillerService, method })),
      retryPolicy: {
        maxAttempts: 2,
        initialBackoff: '0.05s',
        maxBackoff: '1s',
        backoffMultiplier: 2,
        retryableStatusCodes: ['UNAVAILABLE', 'CANCELLED'],
      },
    },
  ],
};

function hostOf(authority: string): string {
  return authority.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
}

/** The cause in grpc-js's status text; without one, the whole text. */
function reasonIn(details: string): string {
  const cause = /Last error: (?:Error: )?(.*?)(?:\. Resolution note: .*)?$/s.exec(details)?.[1];
  return withoutDate(cause ?? details).trim();
}

function withoutDate(details: string): string {
  return details.replace(/ \(\d{4}-\d\d-\d\dT[^)]*\)/g, '');
}

/** TLS to Tiller, as the `--tiller-*` flags say. */
export interface TillerTls {
  /** PEM certificates to trust, in place of the system's. */
  readonly ca?: string;
  /** PEM client certificate and its key. */
  readonly cert?: string;
  readonly key?: string;
  /** Encrypt, but accept any certificate. Skips verification, never encryption. */
  readonly insecureSkipVerify: boolean;
}

export interface TillerTlsFiles {
  readonly caFile?: string | undefined;
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
  readonly insecureSkipVerify?: boolean | undefined;
  /** True where the endpoint itself asks for TLS (`https://`, `tls://`). */
  readonly endpointIsTls: boolean;
}

/**
 * Reads the files that the flags name. Plain connections, which is how Tiller runs by default, when nothing asks for TLS.
 * @throws GatewayError INVALID_ARGUMENT with the file that cannot be read, or the half of a pair that is missing
 */
export function readTillerTls(files: TillerTlsFiles): TillerTls | undefined {
  const { caFile, certFile, keyFile, insecureSkipVerify = false, endpointIsTls } = files;
  if (!caFile && !certFile && !keyFile && !endpointIsTls) return undefined;
  if (Boolean(certFile) !== Boolean(keyFile)) {
    throw invalidArgument('--tiller-client-cert-file and --tiller-client-private-key-file belong together');
  }
  return {
    insecureSkipVerify,
    ...(caFile && { ca: readPem('--tiller-ca-file', caFile) }),
    ...(certFile && { cert: readPem('--tiller-client-cert-file', certFile) }),
    ...(keyFile && { key: readPem('--tiller-client-private-key-file', keyFile) }),
  };
}

function readPem(flag: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw invalidArgument(`${flag}: cannot read ${file}`, { cause });
  }
}

/**
 * The credentials of a channel.
 * @param host gives the name that Tiller's certificate has to carry, asked at each handshake
 * @throws GatewayError INVALID_ARGUMENT for certificates and keys that cannot be used
 */
function channelCredentials(tls: TillerTls | undefined, host: () => string): grpc.ChannelCredentials {
  if (!tls) return grpc.credentials.createInsecure();
  const bytes = (pem: string | undefined) => (pem === undefined ? null : Buffer.from(pem));
  try {
    return grpc.credentials.createSsl(bytes(tls.ca), bytes(tls.key), bytes(tls.cert), {
      rejectUnauthorized: !tls.insecureSkipVerify,
      checkServerIdentity: (_target, certificate) => checkServerIdentity(host(), certificate),
    });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw invalidArgument(`the certificates for TLS to Tiller cannot be used: ${reason}`, { cause });
  }
}
