import type { IncomingMessage } from 'node:http';
import type { Duplex, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import {
  type CallContext,
  Code,
  GatewayError,
  type HttpRequest,
  type HttpResponse,
  httpStatusToCode,
  reasonOf,
  requestIdOf,
  unavailable,
} from '../../protocol/index.ts';
import { againIfReset } from './again-if-reset.ts';
import { type Answer, readAnswer } from './api-refusal.ts';
import { boundCall } from './call-bound.ts';
import { answeredHeaders, forwardedHeaders } from './forwarded-headers.ts';
import type { GatewayLink } from './gateway-link.ts';
import type { GatewayProxy, Onward } from './gateway-proxy.ts';
import type { GatewayEvents, ProxyOptions } from './proxy-options.ts';

/** A request without a body can be sent again with fresh credentials. */
const bodyless = new Set(['GET', 'HEAD', 'DELETE', 'OPTIONS']);

/** What a write may take at the most, as everywhere in the gateway: how long it really may is in its body, unread here. */
const writeTimeoutMs = 24 * 3_600_000;

const noEnd = new AbortController().signal;

/** What a forwarded answer came to. */
export interface Forwarded {
  readonly code: Code;
  readonly bytes: number;
  readonly error?: unknown;
}

export interface Forward {
  request(
    request: HttpRequest,
    response: HttpResponse,
    target: string,
    context: CallContext,
  ): Promise<Forwarded>;
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, target: string): Promise<void>;
}

/** One for all clusters, loaded with the first request that needs it. */
let proxy: Promise<GatewayProxy> | undefined;

function loadProxy(): Promise<GatewayProxy> {
  proxy ??= import('./gateway-proxy.ts').then(({ GatewayProxy }) => new GatewayProxy());
  return proxy;
}

/** Passes HTTP on to the gateway of a cluster: bodies, answers and upgrades as they come. */
export function createForward(
  link: GatewayLink,
  { timeoutMs }: Pick<ProxyOptions, 'timeoutMs'>,
  events: GatewayEvents,
): Forward {
  const onwardOf = async (
    target: string,
    headers: Onward['headers'],
    signal: AbortSignal,
  ): Promise<Onward> => {
    const settings = await link.settings();
    const url = `${pathOf(settings.server)}${link.path}${target}`;
    return { settings, url, headers: { ...headers, ...settings.headers }, signal };
  };

  async function attempt(
    request: HttpRequest,
    response: HttpResponse,
    target: string,
    headers: Onward['headers'],
    signal: AbortSignal,
  ): Promise<Answer> {
    const verb = request.method ?? 'GET';
    const onward = await onwardOf(target, headers, signal);
    try {
      return await againIfReset(isRead(verb, target), async () =>
        readAnswer(await (await loadProxy()).send(request, response, onward)),
      );
    } catch (cause) {
      if (signal.aborted) throw GatewayError.from(signal.reason);
      const error = linkError(onward, cause);
      events.failed(error);
      throw error;
    }
  }

  return {
    async request(request, response, target, context) {
      const verb = request.method ?? 'GET';
      const requestId = context.requestId ?? requestIdOf(undefined);
      const headers = forwardedHeaders(request.headers, requestId, context.deadline);
      const bound = boundCall(context, maySayTimeout(verb, target) ? writeTimeoutMs : timeoutMs);
      let answer: Answer;
      try {
        answer = await attempt(request, response, target, headers, bound.signal);
        if (answer.kind === 'refused' && answer.status === 401) {
          link.forget();
          if (bodyless.has(verb)) answer = await attempt(request, response, target, headers, bound.signal);
        }
      } finally {
        bound.clear();
      }
      if (answer.kind === 'refused') {
        events.failed(answer.error);
        throw answer.error;
      }
      events.connected();
      return passOn(response, answer.response, answer.body);
    },
    async upgrade(request, socket, head, target) {
      const requestId = requestIdOf(request.headers['x-request-id']);
      const headers = forwardedHeaders(request.headers, requestId, undefined, true);
      const onward = await onwardOf(target, headers, noEnd);
      await (await loadProxy()).upgrade(request, socket, head, onward);
    },
  };
}

/** The rollback by GET is none. */
function isRead(verb: string, target: string): boolean {
  return (verb === 'GET' || verb === 'HEAD') && !target.includes('/rollback/');
}

/** Whether the request can let Tiller take longer than calls take by default. */
function maySayTimeout(verb: string, target: string): boolean {
  return !bodyless.has(verb) || /[?&]timeout=/.test(target);
}

/** @returns the error for the log and the caller, which names the API server and not its credentials */
export function linkError({ settings }: Pick<Onward, 'settings'>, cause: unknown): GatewayError {
  return unavailable(`reaching the cluster's gateway through ${settings.server}: ${reasonOf(cause)}`, {
    cause,
  });
}

async function passOn(to: HttpResponse, answer: IncomingMessage, body?: Buffer): Promise<Forwarded> {
  const response = to as HttpResponse & Writable;
  const status = answer.statusCode ?? 502;
  response.statusCode = status;
  for (const [name, value] of answeredHeaders(answer.headers)) response.setHeader(name, value);
  const code = httpStatusToCode(status);
  if (body) {
    response.end(body);
    return { code, bytes: body.length };
  }
  let bytes = 0;
  answer.on('data', chunk => {
    bytes += chunk.length;
  });
  try {
    await pipeline(answer, response);
    return { code, bytes };
  } catch (cause) {
    // the head is out already: all that is left is to break off
    answer.destroy();
    response.destroy();
    return { code: Code.UNAVAILABLE, bytes, error: cause };
  }
}

function pathOf(server: string): string {
  return new URL(server).pathname.replace(/\/$/, '');
}
