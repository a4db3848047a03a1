import express, { type NextFunction, type Request, type Response } from 'express';
import type { HttpRequest, HttpResponse } from '../protocol/index.ts';
import { Code, GatewayError } from '../protocol/index.ts';
import { answerOptions, createRestApi, type RestApiOptions, refuseVerb } from './api.ts';
import { writeCors } from './cors.ts';
import { sendError } from './errors.ts';
import {
  type Answered,
  describeFinished,
  type Exchange,
  openExchange,
  type RequestEvents,
} from './exchange.ts';
import { handlerForBothVersions } from './http2-express.ts';
import { landingPage } from './landing.ts';
import { answerMounted, type Mount } from './mount.ts';
import { createOpenApi } from './openapi/document.ts';
import { answerPage, type Page, pageVerbs } from './page.ts';
import { originForm } from './request-target.ts';

export interface RestOptions extends RestApiOptions {
  /** The gateway's own version, for the pages that name it. */
  readonly version: string;
  /** Further pages by path, such as `/healthz`. */
  readonly pages: ReadonlyMap<string, Page>;
  /** Asked first: answers the requests of all clusters. Pages are for the others. */
  readonly mount: Mount;
  readonly events: RequestEvents;
}

/**
 * The HTTP/JSON front: one express app that takes requests of both HTTP versions.
 * @throws Error when the routes of the contract contradict each other
 */
export function createRestFront(
  options: RestOptions,
): (request: HttpRequest, response: HttpResponse) => void {
  const api = createRestApi(options);
  const openApi = createOpenApi(api.routes, options.version);
  const pages = new Map<string, Page>([
    ['/', landingPage(api.routes, options.version)],
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
    const mounted = options.mount(request, api);
    if (!mounted) return next();
    return answer(request, response, mounted.route, exchange =>
      answerMounted(exchange, mounted, options.cors),
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
  const handle = handlerForBothVersions(app);
  return (request, response) => {
    request.url = originForm(request.url ?? '/');
    handle(request, response);
  };
}
