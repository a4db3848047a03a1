import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIPv6 } from 'node:net';
import { type Config, formatListenAddress } from '../config/index.ts';

/** Docker and Kubernetes have bounds of their own; this one only keeps a forgotten check from staying. */
const timeoutMs = 5_000;
const maxReasonChars = 500;

export interface CheckResult {
  readonly ok: boolean;
  /** The gateway's own words, or why it could not be asked. */
  readonly reason: string;
}

/**
 * Asks the gateway that was started with the same configuration for its `/healthz` or `/readyz`, on this machine.
 * Never throws.
 */
export async function checkHealth(config: Config, probe: 'live' | 'ready'): Promise<CheckResult> {
  const { probeAddr, addr: mainAddr } = config.listener;
  const addr = probeAddr ?? mainAddr;
  const host = localHost(addr.host);
  const path = probe === 'live' ? '/healthz' : '/readyz';
  const target = { host, port: addr.port, path, agent: false, signal: AbortSignal.timeout(timeoutMs) };
  try {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    // the certificate is for the name that clients use, and whoever answers on this port of this machine is the gateway
    const request =
      config.tls.only && !probeAddr
        ? httpsRequest({ ...target, rejectUnauthorized: false })
        : httpRequest(target);
    request.on('response', resolve).on('error', reject).end();
    const answer = await promise;
    let reason = '';
    for await (const chunk of answer.setEncoding('utf8')) {
      if (reason.length < maxReasonChars) reason += String(chunk).slice(0, maxReasonChars);
    }
    return { ok: answer.statusCode === 200, reason: reason.trim() };
  } catch (error) {
    const address = formatListenAddress({ host, port: addr.port });
    const { code, message } = error as NodeJS.ErrnoException;
    return { ok: false, reason: `${address} does not answer: ${code ?? message}` };
  }
}

/** Where to ask for an address that is listened on: "every address" is reached by loopback. */
function localHost(host: string | undefined): string {
  if (host === undefined || host === '0.0.0.0') return '127.0.0.1';
  return isIPv6(host) && /^[0:]+$/.test(host) ? '::1' : host;
}
