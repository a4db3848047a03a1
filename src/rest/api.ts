import type { Backend } from '../backends/index.ts';
import { Code, GatewayError, type HttpRequest, headerOf, isGone } from '../protocol/index.ts';
import type { ReleaseService } from '../releases/index.ts';
import { bindRequest, type Match } from './bind-request.ts';
import { callStreaming } from './call-streaming.ts';
import { callUnary } from './call-unary.ts';
import { ClientSignal } from './client-signal.ts';
import { type CorsOptions, writeCors } from './cors.ts';
import { sendError } from './errors.ts';
import type { Answered, Exchange } from './exchange.ts';
import { multipartToMessage } from './multipart.ts';
import { readBody } from './read-body.ts';
import { allowedVerbs, createRouter, type Found, type Route } from './router.ts';

export interface RestApiOptions {
  readonly service: ReleaseService;
  /** Largest request body in bytes. */
  readonly maxBodyBytes: number;
  readonly cors: CorsOptions;
  /** Turns off the rollback by GET, which swift's clients use and a crawler could. */
  readonly disableGetRollback: boolean;
}

/** The routes of the release service, and their answers. */
export interface RestApi {
  readonly routes: readonly Route[];
  find(path: string): Found | undefined;
  /** Answers with what the cluster's backend says. */
  answer(exchange: Exchange, match: Found, backend: Backend): Answered | Promise<Answered>;
  /** Answers OPTIONS, which no backend is needed for. */
  preflight(exchange: Exchange, match: Found): Answered;
}

/** @throws Error when the routes of the contract contradict each other */
export function createRestApi(options: RestApiOptions): RestApi {
  const router = createRouter(options.service, route => options.disableGetRollback && isGetRollback(route));
  return {
    ...router,
    preflight(exchange, match) {
      writeCors(options.cors, exchange.request, exchange.response, allowedVerbs(match));
      return answerOptions(exchange, allowedVerbs(match));
    },
    answer(exchange, found, backend) {
      const route = found.routes.get(verbOf(exchange));
      if (!route) return refuseVerb(exchange, allowedVerbs(found));
      return answerApi(exchange, { route, parameters: found.parameters }, backend, options.maxBodyBytes);
    },
  };
}

function isGetRollback({ method, binding }: Route): boolean {
  return method.contract.name === 'RollbackRelease' && binding.verb === 'GET';
}

/** Answers a request that has found its route. */
async function answerApi(
  exchange: Exchange,
  match: Match,
  backend: Backend,
  maxBodyBytes: number,
): Promise<Answered> {
  let context: ClientSignal | undefined;
  try {
    context = new ClientSignal(exchange.request, exchange.response);
    const message = await readMessage(exchange, match, maxBodyBytes);
    const { method } = match.route;
    return method.kind === 'unary'
      ? await callUnary(exchange, match, (...args) => method.call(backend, ...args), message, context)
      : await callStreaming(exchange, match, (...args) => method.call(backend, ...args), message, context);
  } catch (error) {
    return await sendError(exchange, error);
  } finally {
    context?.release();
  }
}

/** 204, with the verbs that the path has. */
export function answerOptions(exchange: Exchange, allow: readonly string[]): Answered {
  const { response } = exchange;
  response.setHeader('Allow', allow.join(', '));
  response.statusCode = 204;
  if (!isGone(response)) response.end();
  return { code: Code.OK, bytes: 0 };
}

/** 405, with the verbs that the path has. */
export function refuseVerb(exchange: Exchange, allow: readonly string[]): Promise<Answered> {
  const verbs = allow.join(', ');
  exchange.response.setHeader('Allow', verbs);
  return sendError(
    exchange,
    new GatewayError(Code.UNIMPLEMENTED, `${exchange.verb} is not allowed here, only ${verbs}`),
    405,
  );
}

/** The request message. A body is read where the route takes one; an empty one says nothing, as `{}` does. */
async function readMessage(exchange: Exchange, match: Match, maxBodyBytes: number): Promise<Uint8Array> {
  const { request, query } = exchange;
  if (!match.route.binding.body) return bindRequest(match, query, undefined);
  if (hasContentType(request, 'multipart/form-data'))
    return multipartToMessage(request, match, query, maxBodyBytes);
  const body = await readBody(request, maxBodyBytes);
  return bindRequest(match, query, body.length > 0 ? body : undefined);
}

function hasContentType(request: HttpRequest, type: string): boolean {
  return headerOf(request, 'content-type')?.toLowerCase().startsWith(type) ?? false;
}

/**
 * The verb that counts. A form sent by POST with `X-HTTP-Method-Override: GET` is taken as the GET that it stands for.
 * Recorded of swift (step `form-override`): what is in the form does not become a query, so only the URL's query counts.
 */
export function verbOf({ request, verb }: Exchange): string {
  const overridden =
    verb === 'POST' &&
    headerOf(request, 'x-http-method-override')?.toUpperCase() === 'GET' &&
    hasContentType(request, 'application/x-www-form-urlencoded');
  return overridden || verb === 'HEAD' ? 'GET' : verb;
}
