import type { IncomingMessage } from 'node:http';
import {
  type HttpBinding,
  jsonToWire,
  type Method,
  messageType,
  service,
  wireToJson,
} from '../../codec/index.ts';
import { ApiRefused } from '../../kubernetes/index.ts';
import {
  Code,
  GatewayError,
  type Holder,
  invalidArgument,
  limitExceeded,
  type Reason,
  readBounded,
  reasons,
  toCode,
  whereItFits,
} from '../../protocol/index.ts';
import { invalidName } from '../records/tiller-texts.ts';

export interface MethodRequest {
  readonly verb: string;
  /** Path and query. */
  readonly target: string;
  readonly body: Buffer | undefined;
  /** The time that the request gives Tiller, 0 where it says nothing. */
  readonly timeoutSeconds: bigint;
}

/** A call as the HTTP request that the contract's annotations make of it. */
export function toMethodRequest(method: Method, request: Uint8Array): MethodRequest {
  const json = wireToJson(method.request, request);
  const fields = JSON.parse(json.toString()) as Record<string, unknown>;
  const binding = chooseBinding(method, fields);
  const inPath = new Set<string>();
  const path = binding.path.replace(/\{(\w+)\}/g, (_match, name: string) => {
    inPath.add(name);
    const value = String(fields[name]);
    return binding.path.includes('/releases/') ? pathPart(value) : chartPathPart(value);
  });
  const timeoutSeconds = BigInt((fields.timeout as string | undefined) ?? 0);
  const { verb } = binding;
  if (binding.body) return { verb, target: path, body: json, timeoutSeconds };
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(fields)) {
    if (!inPath.has(name)) for (const one of [value].flat()) query.append(name, String(one));
  }
  return { verb, target: query.size > 0 ? `${path}?${query}` : path, body: undefined, timeoutSeconds };
}

/**
 * A release's name as a part of the path. An impossible name is refused in Tiller's words: servers in between would
 * read `..` or a slash as something else.
 */
function pathPart(name: string): string {
  if (/^[\w.-]+$/.test(name) && !/^\.+$/.test(name)) return name;
  throw invalidArgument(invalidName);
}

/**
 * A name of a repository or a chart, or a version, as a part of the path.
 * @throws GatewayError INVALID_ARGUMENT for what servers in between would read as something else
 */
function chartPathPart(name: string): string {
  if (!/^\.*$|[/\\]/.test(name)) return encodeURIComponent(name);
  throw invalidArgument(`${JSON.stringify(name.slice(0, 200))} cannot stand in a path`);
}

/** One that takes a body where there is one, since then every field can be said; and whose path can be filled. */
function chooseBinding(method: Method, fields: Record<string, unknown>): HttpBinding {
  const fits = ({ path }: HttpBinding) =>
    [...path.matchAll(/\{(\w+)\}/g)].every(([, name]) => fields[name ?? ''] !== undefined);
  const fitting = method.bindings.filter(fits);
  const binding = fitting.find(({ body }) => body) ?? fitting[0];
  if (!binding) throw invalidArgument(`${method.name} needs the field name`);
  return binding;
}

/** Statuses by which an API server itself can answer instead of the service behind it. */
const refusals = new Set([401, 403, 404, 429, 500, 502, 503, 504]);

const maxRefusalBytes = 64 * 1024;

/** In an API server's words: the connection to the service broke, or time was over, with the request sent. */
export function isCutOff({ status, message }: ApiRefused): boolean {
  const isSent = /\bEOF\b|connection reset|broken pipe|closed (?:network )?connection|time[d ]?-?out/i;
  return status === 504 || (status >= 500 && isSent.test(message) && !/dial tcp/.test(message));
}

/** An answer of the cluster's gateway. */
export interface Answer {
  readonly response: IncomingMessage;
  /** Where it had to be read to know whose answer it is. */
  readonly body?: Buffer;
}

/**
 * Tells the answer of the cluster's gateway from one of the API server in front of it: a gateway sends back the
 * X-Request-Id, an API server never does, and its own answers are a `v1.Status`. A gateway without X-Request-Id (swift) is
 * recognized by reading the answer.
 * @throws ApiRefused for an answer of the API server
 */
export async function readAnswer(response: IncomingMessage): Promise<Answer> {
  const status = response.statusCode ?? 0;
  if (response.headers['x-request-id'] !== undefined || !refusals.has(status)) return { response };
  const body = await readBounded(response, { maxBytes: maxRefusalBytes, beyond: 'cut' });
  const isStatus = /"kind"\s*:\s*"Status"/.test(body.toString());
  // an API server that is overloaded or goes down answers in plain text
  if (!isStatus && response.headers['content-type']?.includes('json')) return { response, body };
  throw new ApiRefused("reaching the cluster's gateway", status, body);
}

/**
 * The lines of a body that streams.
 * @param hold counts what has come of a line
 * @throws GatewayError RESOURCE_EXHAUSTED for one over the limit
 */
export async function* readLines(
  response: IncomingMessage,
  maxBytes: number,
  hold?: Holder,
): AsyncGenerator<Buffer> {
  let parts: Buffer[] = [];
  let bytes = 0;
  const take = () => {
    const line = parts.length === 1 ? parts[0]! : Buffer.concat(parts);
    hold?.sent(bytes);
    parts = [];
    bytes = 0;
    return line;
  };
  const keep = (part: Buffer) => {
    parts.push(part);
    hold?.answer(part.length);
    bytes += part.length;
  };
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      let start = 0;
      for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
        keep(chunk.subarray(start, end));
        const line = take();
        if (line.length > 0) yield line;
        start = end + 1;
      }
      keep(chunk.subarray(start));
      if (bytes > maxBytes) throw limitExceeded(`the answer is over the limit of ${maxBytes} bytes`);
    }
    if (bytes > 0) yield take();
  } finally {
    hold?.sent(bytes);
  }
}

export function parseJson(json: Buffer): unknown {
  try {
    return JSON.parse(json.toString());
  } catch (cause) {
    const message = "the cluster's gateway answered something that is not JSON";
    throw new GatewayError(Code.INTERNAL, message, { cause });
  }
}

/** @param type full name of the message */
export function jsonToReply(type: string, json: Buffer): Uint8Array {
  try {
    return jsonToWire(messageType(type), json);
  } catch (cause) {
    const message = `the cluster's gateway answered something that is no ${type}`;
    throw new GatewayError(Code.INTERNAL, message, { cause });
  }
}

/** The message in a line of a stream. @throws GatewayError also the one that the line holds in its place */
export function lineToReply(type: string, line: Buffer): Uint8Array {
  const { result, error } = parseJson(line) as { result?: unknown; error?: unknown };
  if (error !== undefined) throw toError(error, Code.UNKNOWN);
  return jsonToReply(type, Buffer.from(JSON.stringify(result ?? {})));
}

/** As `toMethodRequest`. @param path of the method in gRPC */
export function callToRequest(path: string, request: Uint8Array): MethodRequest {
  const [, serviceName = '', name] = path.split('/');
  const method = service(serviceName).methods.find(one => one.name === name);
  if (!method) throw new Error(`no method is at ${path}`);
  return toMethodRequest(method, request);
}

export const toReplyWhereItFits = whereItFits(import.meta.url, jsonToReply);
export const lineToReplyWhereItFits = whereItFits(import.meta.url, lineToReply);
export const toRequestWhereItFits = whereItFits(import.meta.url, callToRequest);

/** `{"code": 5, "message": "...", "reason": "...", "step": "..."}`, as every gateway's error looks. */
export function toError(json: unknown, code: Code): GatewayError {
  const given = json as Partial<Record<'code' | 'message' | 'reason' | 'step', unknown>> | null;
  const known = typeof given?.code === 'number' ? toCode(given.code) : code;
  const message = typeof given?.message === 'string' ? given.message : 'the cluster gave no reason';
  const { reason, step } = given ?? {};
  return new GatewayError(known === Code.OK ? Code.UNKNOWN : known, message, {
    reason: typeof reason === 'string' && Object.hasOwn(reasons, reason) ? (reason as Reason) : undefined,
    step: typeof step === 'string' ? step : undefined,
  });
}
