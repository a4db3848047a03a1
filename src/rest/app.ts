import express, { type NextFunction, type Request, type Response } from 'express';
import { Code, GatewayError } from '../protocol/index.ts';
import type { ReleaseService } from '../releases/index.ts';
import { answerApi, answerOptions, refuseVerb, verbOf } from './api.ts';
import { type CorsOptions, writeCors } from './cors.ts';
import { sendError } from './errors.ts';
import {
  type Answered,
  describeFinished,
  type Exchange,
  openExchange,
  type RequestEvents,
} from './exchange.ts';
import type { HttpRequest, HttpResponse } from './http.ts';
import { handlerForBothVersions } from './http2-express.ts';
import { landingPage } from './landing.ts';
import { createOpenApi } from './openapi/document.ts';
import { answerPage, type Page, pageVerbs } from './page.ts';
import { allowedVerbs, createRouter, type Found, type Route } from './router.ts';

export interface RestOptions {
  readonly service: ReleaseService;
  /** The gateway's own version, for the pages that name it. */
  readonly version: string;
  /** Largest request body in bytes. */
  readonly maxBodyBytes: number;
  readonly cors: CorsOptions;
  /** Turns off the rollback by GET, which swift's clients use and a crawler could. */
  readonly disableGetRollback: boolean;
  /** Further pages by path, such as `/healthz`. */
  readonly pages: ReadonlyMap<string, Page>;
  readonly events: RequestEvents;
}

/**
 * The HTTP/JSON front: one express app that takes requests of both HTTP versions.
 * @throws Error when the routes of the contract contradict each other
 */
export function createRestFront(
  options: RestOptions,
): (request: HttpRequest, response: HttpResponse) => void {
  const router = createRouter(options.service, route => options.disableGetRollback && isGetRollback(route));
  const openApi = createOpenApi(router.routes, options.version);
  const pages = new Map<string, Page>([
    ['/', landingPage(router.routes, options.version)],
    ['/openapi.json', () => ({ status: 200, type: 'application/json', body: openApi })],
    ...options.pages,
  ]);
  const app = express()
    .disable('x-powered-by')
    .disable('etag')
    .enable('strict routing')
    .enable('case sensitive routing');

  /** Answers and reports; nothing that is thrown gets past here. */
  const answer = async (
    request: Request,
    response: Response,
    route: string,
    run: (exchange: Exchange) => Answered | Promise<Answered>,
  ) => {
    options.events.started?.();
    const exchange = openExchange(request, response);
    let answered: Answered;
    try {
      answered = await run(exchange);
    } catch (error) {
      answered = await sendError(exchange, error);
    }
    options.events.finished?.(describeFinished(exchange, route, answered));
  };

  app.use((request: Request, response: Response, next: NextFunction) => {
    const found = router.find(pathOf(request));
    if (!found) return next();
    const [first] = found.routes.values();
    return answer(request, response, first?.binding.path ?? '', exchange =>
      answerFound(exchange, found, options),
    );
  });
  for (const [path, page] of pages) {
    app.all(path, (request, response) =>
      answer(request, response, path, exchange => {
        const { verb } = exchange;
        writeCors(options.cors, request, response, verb === 'OPTIONS' ? pageVerbs : undefined);
        if (verb === 'OPTIONS') return answerOptions(exchange, pageVerbs);
        return verb === 'GET' || verb === 'HEAD'
          ? answerPage(exchange, page)
          : refuseVerb(exchange, pageVerbs);
      }),
    );
  }
  app.use((request: Request, response: Response) =>
    answer(request, response, '', exchange => {
      writeCors(options.cors, request, response);
      throw new GatewayError(Code.NOT_FOUND, `nothing is at ${exchange.path.slice(0, 200)}`);
    }),
  );
  return handlerForBothVersions(app);
}

function answerFound(exchange: Exchange, found: Found, options: RestOptions): Answered | Promise<Answered> {
  const { request, response, verb } = exchange;
  const isPreflight = verb === 'OPTIONS';
  writeCors(options.cors, request, response, isPreflight ? allowedVerbs(found) : undefined);
  if (isPreflight) return answerOptions(exchange, allowedVerbs(found));
  const route = found.routes.get(verbOf(exchange));
  if (!route) return refuseVerb(exchange, allowedVerbs(found));
  return answerApi(exchange, { route, parameters: found.parameters }, options.maxBodyBytes);
}

function pathOf(request: Request): string {
  const mark = request.url.indexOf('?');
  return mark < 0 ? request.url : request.url.slice(0, mark);
}

function isGetRollback({ method, binding }: Route): boolean {
  return method.contract.name === 'RollbackRelease' && binding.verb === 'GET';
}
