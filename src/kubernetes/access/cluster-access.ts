import type { Agent, OutgoingHttpHeaders } from 'node:http';
import type { ConnectionOptions } from 'node:tls';
import { unavailable } from '../../protocol/index.ts';

/** What every request to an API server carries. Holds secrets: never log it. */
export interface RequestSettings {
  /** `https://host:port` with an optional path, without a slash at its end and without credentials. */
  readonly server: string;
  readonly headers: OutgoingHttpHeaders;
  readonly tls: Pick<ConnectionOptions, 'ca' | 'cert' | 'key' | 'servername' | 'rejectUnauthorized'>;
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
 * Makes an attempt with the current credentials, and one more with fresh ones where those were refused: tokens expire
 * and rotate at any time, and a kept one may be the old one. An attempt that throws is not repeated, but what it used
 * is not kept either, since it may be why.
 * @param signal bounds the wait for credentials; the attempt has to heed it by itself
 */
export async function withFreshCredentials<Reply>(
  access: ClusterAccess,
  signal: AbortSignal,
  attempt: (settings: RequestSettings) => Promise<Reply>,
  isRefused: (reply: Reply) => boolean,
): Promise<Reply> {
  const settings = await settingsInTime(access, signal);
  const reply = await attempt(settings).catch(error => {
    access.forget();
    throw error;
  });
  if (!isRefused(reply)) return reply;
  access.forget();
  return attempt(await settingsInTime(access, signal));
}

/** A plugin or an identity provider may hang; waiting for it ends with the signal. */
async function settingsInTime(access: ClusterAccess, signal: AbortSignal): Promise<RequestSettings> {
  const failed = () =>
    unavailable('getting credentials took too long: a plugin or an identity provider does not answer', {
      cause: signal.reason,
    });
  if (signal.aborted) throw failed();
  const { promise: tooLate, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(failed());
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([access.settings(), tooLate]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
