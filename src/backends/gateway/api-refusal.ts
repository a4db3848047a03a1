import type { IncomingMessage } from 'node:http';
import { apiError } from '../../kubernetes/index.ts';
import type { GatewayError } from '../../protocol/index.ts';

/** Statuses by which an API server itself can answer instead of the service behind it. */
const refusals = new Set([401, 403, 404, 429, 500, 502, 503, 504]);

const maxBodyBytes = 64 * 1024;

export type Answer =
  | { readonly kind: 'gateway'; readonly response: IncomingMessage; readonly body?: Buffer }
  | { readonly kind: 'refused'; readonly status: number; readonly error: GatewayError };

/**
 * Tells the cluster's gateway's answer from one of the API server in front of it: a gateway sends back the X-Request-Id,
 * an API server never does, and what it has to say is a `v1.Status`. A gateway without X-Request-Id (swift) is not taken
 * for it then, at the price of reading the answer.
 */
export async function readAnswer(response: IncomingMessage): Promise<Answer> {
  const status = response.statusCode ?? 0;
  if (response.headers['x-request-id'] !== undefined || !refusals.has(status))
    return { kind: 'gateway', response };
  const body = await readAll(response);
  const isStatus = /"kind"\s*:\s*"Status"/.test(body.toString());
  // an API server that is overloaded or goes down answers in plain text
  if (!isStatus && response.headers['content-type']?.includes('json'))
    return { kind: 'gateway', response, body };
  return {
    kind: 'refused',
    status,
    error: apiError("reaching the cluster's gateway", { status, body: body.toString() }),
  };
}

async function readAll(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let total = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    total += chunk.length;
    if (total > maxBodyBytes) break;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
