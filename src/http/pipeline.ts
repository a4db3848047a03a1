import { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import type { TLSSocket } from 'node:tls';
import express, { type Express, type RequestHandler, type Response } from 'express';
import type { Registry } from '../clusters/index.ts';
import {
  type Budget,
  Code,
  GatewayError,
  type HttpRequest,
  type HttpResponse,
  isGone,
} from '../protocol/index.ts';
import { type Answered, Exchange, type FinishedRequest, type Match, type Route } from './exchange.ts';
import type { Guard } from './guard.ts';
import { type CorsOptions, crossOrigin, securityHeaders } from './headers.ts';
import { allowedVerbs, Router } from './router.ts';
import { clusterParameters, selectCluster, toOriginForm } from './select-cluster.ts';
import { sendError } from './send.ts';

export interface PipelineOptions {
  readonly routes: readonly Route[];
  /** Answers at every path that no route has, where the request names a cluster. */
  readonly forward: Route;
  readonly registry: Pick<Registry, 'pick' | 'labelOf' | 'hasMany'>;
  readonly cors: CorsOptions;
  readonly guard: Guard;
  readonly budget: Budget;
  /** Paths at which an empty `kube_context` or `kube_config` names nothing, as for the API that these paths are of. */
  readonly emptyNamesNothing?: RegExp | undefined;
  /** Clients whose connection has shown no certificate reach open routes only. */
  readonly clientCertificateRequired: boolean;
  readonly events: {
    readonly started?: () => void;
    readonly finished?: (request: FinishedRequest) => void;
  };
}

/** A step of the pipeline: it answers, or goes on to the next. @throws GatewayError, which becomes the answer */
type Step = (exchange: Exchange) => Answered | undefined;

type Front = (request: HttpRequest, response: HttpResponse) => void;

/**
 * What answers every HTTP request: an express app that takes requests of both HTTP versions.
 * @throws Error when two routes contradict each other
 */
export function createPipeline(options: PipelineOptions): Front {
  const { events, registry } = options;
  const finish = (exchange: Exchange, answered: Answered) => events.finished?.(exchange.finished(answered));
  const steps =
    (...run: readonly Step[]): RequestHandler =>
    (_request, response, next) => {
      const exchange = exchangeOf(response);
      for (const step of run) {
        const answered = step(exchange);
        if (answered) return finish(exchange, answered);
      }
      next();
    };
  const pickCluster = (exchange: Exchange) => {
    exchange.cluster = registry.pick(exchange.target.selection);
    exchange.clusterLabel = registry.labelOf(exchange.cluster);
    return undefined;
  };

  const app = express().disable('x-powered-by').disable('etag');
  // The order of every HTTP answer. Who calls and whether they may (src/access) belongs between the client certificate
  // and CORS.
  app.use(
    securityHeaders(),
    steps(
      ({ request }) => void options.guard.checkHost(request),
      pickTarget(options),
      exchange => void checkOrigin(exchange, options.guard),
      exchange => requireClientCertificate(exchange, options.clientCertificateRequired),
      admit,
    ),
    crossOrigin(options.cors, response => verbsAt(exchangeOf(response))),
    steps(answerOptions, requireRoute, pickCluster),
    async (_request, response) => {
      const exchange = exchangeOf(response);
      const { match } = exchange;
      const route = match?.routes.get(exchange.routeVerb);
      if (match && route) finish(exchange, await route.answer(exchange, match.parameters));
    },
  );
  /** Takes what a step has thrown; without an error, express could not read the path. */
  const fail = async (exchange: Exchange, thrown: unknown) => {
    try {
      const { isAdmitted, match, routeVerb } = exchange;
      const form = isAdmitted ? match?.routes.get(routeVerb)?.errorForm : undefined;
      finish(exchange, await sendError(exchange, thrown ?? nothingAt(exchange), form));
    } catch (error) {
      exchange.response.destroy();
      finish(exchange, { code: Code.INTERNAL, bytes: 0, error });
    }
  };

  const handle = handlerForBothVersions(app);
  return oneByOne((request, response) => {
    toOriginForm(request);
    events.started?.();
    const exchange = new Exchange(request, response, options.budget);
    response.setHeader('X-Request-Id', exchange.requestId);
    Object.assign(response, { locals: { exchange } });
    handle(request, response, thrown => void fail(exchange, thrown));
  });
}

function exchangeOf(response: Response): Exchange {
  return response.locals.exchange;
}

/**
 * Contains every fault to its request, and starts a request that was pipelined on an HTTP/1.1 connection when those
 * before it are answered: what its client does not live to see costs nothing.
 */
function oneByOne(handle: Front): Front {
  const contained: Front = (request, response) => {
    try {
      if (!isGone(response)) handle(request, response);
    } catch {
      response.destroy();
    }
  };
  return (request, response) => {
    const isWaiting = request.httpVersionMajor === 1 && response.socket === null;
    if (isWaiting) response.once('socket', () => contained(request, response));
    else contained(request, response);
  };
}

/** From the parsed URL and the headers: the cluster that is named, and the routes of the path. Decides nothing else. */
function pickTarget({ routes, forward, registry, emptyNamesNothing }: PipelineOptions): Step {
  const own = new Router(routes);
  const ofClusters = new Router(routes.filter(route => route.perCluster));
  const anything: Match = {
    template: forward.template,
    routes: new Map(forward.verbs.map(verb => [verb, forward])),
    parameters: {},
  };
  return exchange => {
    const { path, queryText, query, request, routeVerb } = exchange;
    const named = emptyNamesNothing?.test(path) ? withoutEmptyNames(query) : query;
    exchange.target = selectCluster(path, queryText, named, request.headers, registry.hasMany);
    const { isNamed, path: below } = exchange.target;
    exchange.match = isNamed ? (ofClusters.match(below, routeVerb) ?? anything) : own.match(below, routeVerb);
    return undefined;
  };
}

/** The query without the parameters that name a cluster and are empty. */
function withoutEmptyNames(query: URLSearchParams): URLSearchParams {
  const named = [...query].filter(([name, value]) => value !== '' || !clusterParameters.has(name));
  return new URLSearchParams(named);
}

/** What changes something no page of another origin may ask for. */
function checkOrigin({ request, verb, routeVerb, match }: Exchange, guard: Guard): void {
  const route = match?.routes.get(routeVerb);
  if (route?.changes ?? !/^(?:GET|HEAD|OPTIONS)$/.test(verb)) guard.checkOrigin(request);
}

/**
 * The certificate was verified in the handshake. A client without one may ask the gateway's own open routes, which are
 * for probes; a request that names a cluster goes nowhere.
 */
function requireClientCertificate(
  { request, routeVerb, match, target }: Exchange,
  isRequired: boolean,
): undefined {
  // HTTP/2 gives a proxy of its socket, in which a member can be read but not looked for with `in`
  if (!isRequired || (request.socket as Partial<TLSSocket> | undefined)?.authorized === true) return;
  if (!target.isNamed && match?.routes.get(routeVerb)?.isOpen) return;
  throw new GatewayError(Code.UNAUTHENTICATED, 'a client certificate is required');
}

/** From here on a request is looked at. */
function admit(exchange: Exchange): undefined {
  exchange.isAdmitted = true;
}

function verbsAt({ match }: Exchange): string[] {
  return match ? allowedVerbs(match) : [];
}

/** 204, with the verbs of the path. */
function answerOptions(exchange: Exchange): Answered | undefined {
  const { response, verb, match } = exchange;
  if (verb !== 'OPTIONS' || !match || match.routes.has(verb)) return undefined;
  response.setHeader('Allow', verbsAt(exchange).join(', '));
  response.statusCode = 204;
  if (!isGone(response)) response.end();
  return { code: Code.OK, bytes: 0 };
}

/** 404, or 405 with the verbs of the path. */
function requireRoute(exchange: Exchange): undefined {
  const { response, verb, routeVerb, match } = exchange;
  if (!match) throw nothingAt(exchange);
  if (match.routes.has(routeVerb)) return;
  const verbs = verbsAt(exchange).join(', ');
  response.setHeader('Allow', verbs);
  throw new GatewayError(Code.UNIMPLEMENTED, `${verb} is not allowed here, only ${verbs}`, {
    reason: 'METHOD_NOT_ALLOWED',
  });
}

function nothingAt({ path }: Exchange): GatewayError {
  return new GatewayError(Code.NOT_FOUND, `nothing is at ${path.slice(0, 200)}`);
}

/** @param done runs when no step of the app has answered; with an error where one has thrown it */
type Handle = (request: HttpRequest, response: HttpResponse, done: (error?: unknown) => void) => void;

/**
 * One express app for both HTTP versions. Express sets the prototype of every request and response to its own, which
 * inherit from HTTP/1.1's; an HTTP/2 request would lose what it is. So the app gets a twin that differs in nothing but
 * these two prototypes: express's methods on top of HTTP/2's.
 */
function handlerForBothVersions(app: Express): Handle {
  const twin: Express = Object.create(app, {
    request: { value: onTopOf(Http2ServerRequest.prototype, app, 'request') },
    response: { value: onTopOf(Http2ServerResponse.prototype, app, 'response') },
  });
  const http1 = (app as unknown as { handle: Handle }).handle.bind(app);
  const http2 = (twin as unknown as { handle: Handle }).handle.bind(twin);
  return (request, ...rest) => (request.httpVersionMajor === 2 ? http2 : http1)(request, ...rest);
}

/** Express's own methods (two levels: the app's and express's), then everything of HTTP/2. */
function onTopOf(base: object, app: Express, which: 'request' | 'response'): object {
  const ofApp = app[which];
  const ofExpress = Object.getPrototypeOf(ofApp);
  const middle = Object.create(base, Object.getOwnPropertyDescriptors(ofExpress));
  const top = Object.create(middle, Object.getOwnPropertyDescriptors(ofApp));
  // Express links the two by `request.res` and `response.req`; HTTP/2's `req` is a getter without a setter.
  Object.defineProperty(top, which === 'request' ? 'res' : 'req', { value: undefined, writable: true });
  return top;
}
