import { createHash } from 'node:crypto';
import { Agent, request as httpRequest, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest, type RequestOptions } from 'node:https';
import type { Duplex } from 'node:stream';
import type { ConnectionOptions } from 'node:tls';
import {
  Code,
  GatewayError,
  orAborted,
  readBounded,
  reasonOf,
  stepFailed,
  unavailable,
} from '../protocol/index.ts';

/** How a server is verified, and what it is shown. Where there is a `secureContext`, it holds the certificates as well. */
export type ServerTls = Pick<
  ConnectionOptions,
  'ca' | 'cert' | 'key' | 'servername' | 'rejectUnauthorized' | 'secureContext' | 'checkServerIdentity'
>;

/** The part that all requests to an API server share. Holds secrets: never log it. */
export interface RequestSettings {
  /** `https://host:port` with an optional path, without a slash at its end and without credentials. */
  readonly server: string;
  readonly headers: OutgoingHttpHeaders;
  readonly tls: ServerTls;
  /** Only where a proxy leads to the API server. */
  readonly agent: Agent | undefined;
}

/** Where an API server is and how to log in to it. */
export interface ClusterAccess {
  /** The settings as of now: files that may have changed are read again. */
  settings(): Promise<RequestSettings>;
  /** Drops credentials that are kept (plugin's tokens, for example), since the API server refused them. */
  forget(): void;
}

/**
 * Makes an attempt with the current credentials, and one more with fresh ones where those were refused, by an `ApiRefused`
 * with status 401: tokens expire and rotate at any time, and a kept one may be the old one. An attempt that fails without
 * an answer is not repeated, but what it used is not kept either, since it may be why.
 * @param signal bounds the wait for credentials; the attempt has to heed it by itself
 */
export async function withFreshCredentials<Reply>(
  access: ClusterAccess,
  signal: AbortSignal,
  attempt: (settings: RequestSettings) => Promise<Reply>,
): Promise<Reply> {
  const settings = await settingsInTime(access, signal);
  try {
    return await attempt(settings);
  } catch (error) {
    const status = error instanceof ApiRefused ? error.status : undefined;
    if (status === undefined || status === 401) access.forget();
    if (status !== 401) throw error;
  }
  return attempt(await settingsInTime(access, signal));
}

/** A plugin or an identity provider may hang; waiting for it ends with the signal. */
async function settingsInTime(access: ClusterAccess, signal: AbortSignal): Promise<RequestSettings> {
  return orAborted(access.settings(), signal).catch(error => {
    if (!signal.aborted) throw error;
    throw unavailable('getting credentials took too long: a plugin or an identity provider does not answer', {
      cause: signal.reason,
      step: 'getting credentials',
    });
  });
}

/** A list of Tiller's Pods is a few KiB; this only keeps a broken server from filling the memory. */
const maxBodyBytes = 16 * 1024 * 1024;

export interface JsonRequest {
  /** What this is for, as the error message begins. */
  readonly step: string;
  /** Bounds the time; nothing else does. */
  readonly signal: AbortSignal;
  /** Sent by POST where it is given. */
  readonly body?: unknown;
  /** Gives undefined for what is not there. */
  readonly optional?: boolean;
  /** Keep connections open. Default: one of its own for each request, closed after the answer, since look-ups are rare. */
  readonly connections?: KeptConnections;
}

/**
 * Gets a JSON document from the API server, with fresh credentials where the kept ones are refused.
 * @throws GatewayError UNAVAILABLE
 */
export async function getJson(access: ClusterAccess, path: string, request: JsonRequest): Promise<unknown> {
  const { step, signal, optional = false } = request;
  try {
    return JSON.parse(await withFreshCredentials(access, signal, settings => ask(settings, path, request)));
  } catch (cause) {
    if (optional && cause instanceof ApiRefused && cause.status === 404) return undefined;
    if (cause instanceof SyntaxError)
      throw stepFailed(step, "the API server's answer is not JSON", { cause });
    throw cause;
  }
}

/** @returns the body of an answer with status 200 or 201 */
async function ask(
  settings: RequestSettings,
  path: string,
  { step, signal, body: sent, connections }: JsonRequest,
): Promise<string> {
  try {
    const url = new URL(settings.server + path);
    const options = {
      ...connectionOf(settings, connections),
      method: sent === undefined ? 'GET' : 'POST',
      headers: {
        ...settings.headers,
        accept: 'application/json',
        ...(sent !== undefined && { 'content-type': 'application/json' }),
      },
      signal,
    };
    const response = await sendRequest(url, options, sent === undefined ? undefined : JSON.stringify(sent));
    const body = await readBounded(response, { maxBytes: maxBodyBytes, what: 'the answer' });
    const { statusCode: status = 0 } = response;
    if (status === 200 || status === 201) return body.toString();
    throw new ApiRefused(step, status, body);
  } catch (cause) {
    if (cause instanceof ApiRefused) throw cause;
    const reason = signal.aborted ? 'no answer in time' : reasonOf(cause);
    throw unavailable(`${step} at ${settings.server}: ${reason}`, { cause, step });
  }
}

/** Options of a request: a kept connection, or one of its own. */
export function connectionOf(
  settings: RequestSettings,
  connections: KeptConnections | undefined,
): RequestOptions {
  if (connections) return { agent: connections.agentFor(settings) };
  return { ...settings.tls, agent: settings.agent ?? false };
}

/** Sends a request by HTTP or HTTPS, as its URL says. @throws the connection's error, also where the signal ends it */
export async function sendRequest(
  url: URL,
  options: RequestOptions,
  body?: string,
): Promise<IncomingMessage> {
  const request = url.protocol === 'http:' ? httpRequest(url, options) : httpsRequest(url, options);
  return new Promise((resolve, reject) => {
    request.once('response', resolve).on('error', reject).end(body);
  });
}

const maxReasonChars = 400;

const meanings: Record<number, string> = {
  401: 'the API server does not accept the credentials',
  403: 'the API server forbids it',
  404: 'the API server does not know it',
  429: 'the API server has too many requests',
};

/**
 * The API server's answer was a refusal: says which step failed and why. All of these are UNAVAILABLE: whoever called the
 * gateway cannot mend its access to the cluster.
 */
export class ApiRefused extends GatewayError {
  /** Of HTTP. */
  readonly status: number;

  /**
   * @param step what was tried, such as `finding Tiller`
   * @param body its beginning, mostly a `v1.Status` as JSON
   */
  constructor(step: string, status: number, body: Buffer) {
    const meaning = meanings[status] ?? `the API server answered with status ${status}`;
    const reason = statusMessage(body);
    super(Code.UNAVAILABLE, `${step}: ${meaning}${reason && `: ${reason}`}`, { step });
    this.status = status;
  }
}

/** `message` of a `v1.Status`; nothing of any other body, since a proxy's error page would not help. */
function statusMessage(body: Buffer): string {
  try {
    const { kind, message } = JSON.parse(body.toString());
    if (kind === 'Status' && typeof message === 'string') return message.slice(0, maxReasonChars);
  } catch {
    // not JSON: the status alone has to do
  }
  return '';
}

export interface KeptConnectionsOptions {
  /** How many connections there are at the most. Default: as many as there are requests. */
  readonly maxSockets?: number;
  /** Connections that are kept although nothing uses them. */
  readonly maxFreeSockets?: number;
  /** Bound on opening one, in milliseconds. Default: none but the request's own. */
  readonly connectTimeoutMs?: number;
}

/**
 * Connections to one API server that are kept open between requests. What TLS verifies is said to the agent, not with
 * each request: Node never uses a connection again for a request with a check of its own.
 */
export class KeptConnections {
  readonly #options: KeptConnectionsOptions;
  #kept: { readonly key: string; readonly agent: Agent } | undefined;

  constructor(options: KeptConnectionsOptions = {}) {
    this.#options = options;
  }

  /** The same agent as long as server and certificates are the same; that of a proxy where one leads to the server. */
  agentFor(settings: RequestSettings): Agent {
    if (settings.agent) return settings.agent;
    const key = keyOf(settings);
    if (this.#kept?.key === key) return this.#kept.agent;
    const { server, tls } = settings;
    const { connectTimeoutMs, ...bounds } = this.#options;
    const options = { keepAlive: true, ...bounds };
    const agent = server.startsWith('http:') ? new Agent(options) : new HttpsAgent({ ...options, ...tls });
    if (connectTimeoutMs !== undefined) boundConnecting(agent, connectTimeoutMs);
    this.close();
    this.#kept = { key, agent };
    return agent;
  }

  /** Running requests finish. */
  close(): void {
    const { agent } = this.#kept ?? {};
    this.#kept = undefined;
    if (!agent) return;
    agent.maxFreeSockets = 0;
    for (const socket of Object.values(agent.freeSockets).flat()) socket?.destroy();
  }

  /** Running requests fail. */
  destroy(): void {
    this.#kept?.agent.destroy();
    this.#kept = undefined;
  }
}

function keyOf({ server, tls }: RequestSettings): string {
  const hash = createHash('sha256').update(server);
  for (const value of [tls.ca, tls.cert, tls.key, tls.servername, tls.rejectUnauthorized]) {
    for (const part of [value].flat())
      hash.update(typeof part === 'object' ? (part as Buffer) : String(part)).update('\n');
  }
  return hash.digest('hex');
}

/** An API server that takes connections and then says nothing would otherwise hold each request for ever. */
function boundConnecting(agent: Agent, timeoutMs: number): void {
  const create = agent.createConnection.bind(agent);
  const ready = agent instanceof HttpsAgent ? 'secureConnect' : 'connect';
  agent.createConnection = (options, callback) => {
    const socket: Duplex | null | undefined = create(options, callback);
    const late = () => socket?.destroy(Object.assign(new Error('no answer'), { code: 'ETIMEDOUT' }));
    const timer = setTimeout(late, timeoutMs).unref();
    const settle = () => clearTimeout(timer);
    socket?.once(ready, settle).once('close', settle);
    return socket;
  };
}
