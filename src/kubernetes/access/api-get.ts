import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { reasonOf, unavailable } from '../../protocol/index.ts';
import { apiError } from './api-error.ts';
import { type ClusterAccess, type RequestSettings, withFreshCredentials } from './cluster-access.ts';

/** A list of Tiller's Pods is a few KiB; this only keeps a broken server from filling the memory. */
const maxBodyBytes = 16 * 1024 * 1024;

/**
 * Gets a JSON document from the API server, with fresh credentials where the kept ones are refused.
 * @param step what this is for, as the error message begins
 * @param signal bounds the time; nothing else does
 * @throws GatewayError UNAVAILABLE
 */
export async function getJson(
  access: ClusterAccess,
  path: string,
  { step, signal }: { step: string; signal: AbortSignal },
): Promise<unknown> {
  const reply = await withFreshCredentials(
    access,
    signal,
    settings => get(settings, path, { step, signal }),
    ({ status }) => status === 401,
  );
  if (reply.status !== 200) throw apiError(step, reply);
  try {
    return JSON.parse(reply.body);
  } catch (cause) {
    throw unavailable(`${step}: the API server's answer is not JSON`, { cause });
  }
}

async function get(
  settings: RequestSettings,
  path: string,
  { step, signal }: { step: string; signal: AbortSignal },
): Promise<{ status: number; body: string }> {
  try {
    const request = startRequest(settings, path, signal);
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      request.once('response', resolve).once('error', reject).end();
    });
    return { status: response.statusCode ?? 0, body: await readBody(response) };
  } catch (cause) {
    const reason = signal.aborted ? 'no answer in time' : reasonOf(cause);
    throw unavailable(`${step} at ${settings.server}: ${reason}`, { cause });
  }
}

function startRequest(settings: RequestSettings, path: string, signal: AbortSignal): ClientRequest {
  const url = new URL(settings.server + path);
  const options = {
    ...settings.tls,
    headers: { ...settings.headers, accept: 'application/json' },
    // without a proxy: a connection of its own, closed after the answer, since look-ups are rare
    agent: settings.agent ?? false,
    signal,
  };
  return url.protocol === 'http:' ? httpRequest(url, options) : httpsRequest(url, options);
}

/** The whole body as text; a longer one than the bound is an error. */
async function readBody(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response) {
    size += chunk.length;
    if (size > maxBodyBytes) throw new Error(`the answer is larger than ${maxBodyBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}
