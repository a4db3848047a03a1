import { type Code, type HttpRequest, type HttpResponse, headerOf, requestIdOf } from '../protocol/index.ts';

/** What is known of a request when it is over: for one line of log, and for the metrics. */
export interface FinishedRequest {
  readonly requestId: string;
  readonly verb: string;
  /** The route's template, or the page's path; empty for a path that nothing answers, so that labels stay few. */
  readonly route: string;
  /** The path as it came, without the query. */
  readonly path: string;
  readonly status: number;
  readonly code: Code;
  readonly durationMs: number;
  /** Bytes of the body that was sent, compressed as it went. */
  readonly bytes: number;
  /** What went wrong, with its cause, where something did. */
  readonly error: unknown;
  /** Which of several clusters answered. */
  readonly cluster?: string | undefined;
}

export interface RequestEvents {
  readonly started?: () => void;
  readonly finished?: (request: FinishedRequest) => void;
}

/** What an answer came to. */
export interface Answered {
  readonly code: Code;
  readonly bytes: number;
  readonly error?: unknown;
  readonly cluster?: string;
}

/** One request and its response, with what has to be known of them at the end. */
export interface Exchange {
  readonly request: HttpRequest;
  readonly response: HttpResponse;
  readonly requestId: string;
  /** On the clock of `performance.now()`. */
  readonly startedAt: number;
  readonly verb: string;
  /** The path as it came, still percent-encoded. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Whether JSON is to be indented for people (`?pretty`). */
  readonly pretty: boolean;
}

const noQuery = new URLSearchParams();

export function openExchange(request: HttpRequest, response: HttpResponse): Exchange {
  const url = request.url ?? '/';
  const mark = url.indexOf('?');
  const query = mark < 0 ? noQuery : new URLSearchParams(url.slice(mark + 1));
  const requestId = requestIdOf(headerOf(request, 'x-request-id'));
  response.setHeader('X-Request-Id', requestId);
  return {
    request,
    response,
    requestId,
    startedAt: performance.now(),
    verb: request.method ?? 'GET',
    path: mark < 0 ? url : url.slice(0, mark),
    query,
    pretty: isOn(query.get('pretty')),
  };
}

/** `?pretty` and `?pretty=true` are on. */
function isOn(value: string | null): boolean {
  return value !== null && !/^(?:0|false|no)$/i.test(value);
}

export function describeFinished(exchange: Exchange, route: string, answered: Answered): FinishedRequest {
  const { requestId, request, response, path, startedAt } = exchange;
  return {
    requestId,
    verb: request.method ?? 'GET',
    route,
    path,
    status: response.statusCode,
    code: answered.code,
    durationMs: performance.now() - startedAt,
    bytes: answered.bytes,
    error: answered.error,
    cluster: answered.cluster,
  };
}
