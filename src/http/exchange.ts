import type { IncomingHttpHeaders } from 'node:http';
import type { Cluster, Selection } from '../clusters/index.ts';
import {
  type Budget,
  type CallContext,
  type CallScope,
  Code,
  callScope,
  GatewayError,
  type Holder,
  type HttpRequest,
  type HttpResponse,
  header,
  headerOf,
  invalidArgument,
  isGone,
  parseGrpcTimeout,
  readBounded,
  readConsistency,
  refusesBody,
  requestIdOf,
} from '../protocol/index.ts';

export type Verb = 'GET' | 'PUT' | 'POST' | 'DELETE' | 'PATCH' | 'OPTIONS';

/** What answers at a path. Every answer over HTTP is one of these. */
export interface Route {
  /** A path such as `/tiller/v2/releases/{name}/json`, in the form of `google.api.http`. */
  readonly template: string;
  /** HEAD comes with GET. OPTIONS comes with everything: a route with it answers that itself. */
  readonly verbs: readonly Verb[];
  /**
   * @param parameters values of the template's fields by name, percent-decoded
   * @throws GatewayError, which becomes the answer
   */
  answer(exchange: Exchange, parameters: Parameters): Answered | Promise<Answered>;
  /** One sentence for the landing page and the OpenAPI document. */
  readonly summary: string;
  /** The route is there for each cluster. Default: it is the gateway's own. */
  readonly perCluster?: boolean;
  /** Whether the answer changes something, which no page of another origin may do. Default: as HTTP says of the verb. */
  readonly changes?: boolean;
  /** The answer goes on for as long as the client likes. */
  readonly isLive?: boolean;
  /** Open to clients without a certificate, where certificates are required. */
  readonly isOpen?: boolean;
  /** How another API shows its errors. What refuses a request before it is looked at stays in this gateway's form. */
  readonly errorForm?: ErrorForm;
  /** The operation in the OpenAPI document, for what is not in the contract. */
  readonly operation?: Readonly<Record<string, unknown>>;
}

/** How an API shows an error: the HTTP status, and what becomes JSON. */
export type ErrorForm = (error: GatewayError) => { readonly status: number; readonly body: object };

export type Parameters = Readonly<Record<string, string>>;

/** The routes at a path, with the values of its fields. */
export interface Match {
  readonly template: string;
  readonly routes: ReadonlyMap<Verb, Route>;
  readonly parameters: Parameters;
}

/** Which cluster a request is for, and what it asks of it. */
export interface Target {
  readonly selection: Selection;
  /** Whether the request itself names a cluster; otherwise it is for the default one. */
  readonly isNamed: boolean;
  /** Below the cluster's prefix, still percent-encoded. */
  readonly path: string;
  /** Without its question mark, and without what names the cluster. */
  readonly query: string;
}

/** What an answer came to. */
export interface Answered {
  readonly code: Code;
  /** Of the body, as it was sent. */
  readonly bytes: number;
  readonly error?: unknown;
}

/** What is known of a request when it is over: for one line of log, and for the metrics. */
export interface FinishedRequest extends Answered {
  readonly requestId: string;
  readonly verb: string;
  /** The route's template; empty for a path that nothing answers, so that labels stay few. */
  readonly route: string;
  /** The path as it came, without the query. */
  readonly path: string;
  readonly status: number;
  readonly durationMs: number;
  /** What went wrong, with its cause, where something did. */
  readonly error: unknown;
  /** The named cluster that the request was for. */
  readonly cluster?: string | undefined;
  /** Of a read: where its answer came from. */
  readonly reads?: string | undefined;
}

const noQuery: URLSearchParams = new URLSearchParams();

/** One request with its response, from the first step of the pipeline to the last. */
export class Exchange {
  readonly request: HttpRequest;
  readonly response: HttpResponse;
  readonly requestId: string;
  readonly verb: string;
  /** The path as it came, still percent-encoded. */
  readonly path: string;
  /** The query as it came, without its question mark. */
  readonly queryText: string;
  readonly query: URLSearchParams;
  /** Whether JSON is to be indented for people (`?pretty`). */
  readonly pretty: boolean;
  /** Which cluster the request names, and what it asks there. */
  target: Target = { selection: {}, isNamed: false, path: '', query: '' };
  /** The routes at the path; undefined where nothing is at it. */
  match: Match | undefined;
  /** The guards have let the request in: from here on its route says how errors look. */
  isAdmitted = false;
  /** The cluster that the request is for: there from the handler on. */
  cluster!: Cluster;
  /** What logs and metrics call the cluster, where it is not the gateway's own. */
  clusterLabel: string | undefined;
  /** Counts what the request keeps in memory. */
  readonly hold: Holder;
  #readsFrom: string | undefined;
  readonly #startedAt = performance.now();

  constructor(request: HttpRequest, response: HttpResponse, budget: Budget) {
    const [path, query] = splitTarget(request.url ?? '/');
    this.hold = budget.open(response);
    this.request = request;
    this.response = response;
    this.requestId = requestIdOf(headerOf(request, 'x-request-id'));
    this.verb = request.method ?? 'GET';
    this.path = path;
    this.queryText = query;
    this.query = query === '' ? noQuery : new URLSearchParams(query);
    this.pretty = isOn(this.query.get('pretty'));
  }

  /**
   * The verb whose route answers. HEAD is answered as GET; so is a form sent by POST with `X-HTTP-Method-Override: GET`.
   * Recorded of swift (step `form-override`): what is in the form does not become a query, only the URL's query counts.
   */
  get routeVerb(): Verb {
    const { request, verb } = this;
    const isOverridden =
      verb === 'POST' &&
      headerOf(request, 'x-http-method-override')?.toUpperCase() === 'GET' &&
      hasContentType(request, 'application/x-www-form-urlencoded');
    return isOverridden || verb === 'HEAD' ? 'GET' : (verb as Verb);
  }

  /**
   * Runs `work` until the client leaves or the deadline of its `Grpc-Timeout` passes.
   * @throws GatewayError INVALID_ARGUMENT for a malformed `Grpc-Timeout`, `Min-Revision` or `consistent`
   */
  async withContext<T>(work: (context: CallContext & Pick<CallScope, 'abort'>) => Promise<T>): Promise<T> {
    const { response, requestId, hold } = this;
    const timeout = headerOf(this.request, 'grpc-timeout');
    const consistency = readConsistency(this.request.headers, this.query);
    const scope = callScope({
      timeoutMs: timeout === undefined ? undefined : parseGrpcTimeout(timeout),
      late: () => new GatewayError(Code.DEADLINE_EXCEEDED, 'the deadline given in Grpc-Timeout has passed'),
    });
    const leave = () => scope.abort(new GatewayError(Code.CANCELLED, 'the client has gone'));
    response.once('close', leave);
    try {
      const readsFrom = (source: string) => {
        this.#readsFrom = source;
        if (!response.headersSent && !isGone(response)) response.setHeader(header.reads, source);
      };
      const { signal, deadline, abort } = scope;
      return await work({ signal, deadline, requestId, hold, abort, consistency, readsFrom });
    } finally {
      response.off('close', leave);
      scope.end();
    }
  }

  /**
   * The whole body, in memory.
   * @throws GatewayError RESOURCE_EXHAUSTED past a bound, INVALID_ARGUMENT where the body was cut off
   */
  async readBody(maxBytes: number): Promise<Buffer> {
    const bounds = { maxBytes, what: 'the request body', keepOpen: true, onBytes: this.hold.body };
    try {
      return await readBounded(this.request, bounds);
    } catch (cause) {
      if (cause instanceof GatewayError && refusesBody(cause)) throw cause;
      throw invalidArgument('the request body was cut off', { cause });
    }
  }

  finished(answered: Answered): FinishedRequest {
    return {
      ...answered,
      error: answered.error,
      requestId: this.requestId,
      verb: this.verb,
      route: this.match ? `${this.target.isNamed ? '/clusters/{cluster}' : ''}${this.match.template}` : '',
      path: this.path,
      status: this.response.statusCode,
      durationMs: performance.now() - this.#startedAt,
      cluster: this.clusterLabel,
      reads: this.#readsFrom,
    };
  }
}

/** Whether the body is of a media type, whatever its parameters. */
export function hasContentType(request: HttpRequest, type: string): boolean {
  return headerOf(request, 'content-type')?.toLowerCase().startsWith(type) ?? false;
}

/** What of a request's head says whether a body follows: over HTTP/2 its stream, where no length is given. */
export interface BodyHead {
  readonly headers: IncomingHttpHeaders;
  readonly stream?: { readonly endAfterHeaders: boolean };
}

/** Whether a body follows the head of a request. */
export function sendsBody({ headers, stream }: BodyHead): boolean {
  if (headers['transfer-encoding'] !== undefined) return true;
  const length = headers['content-length'];
  // browsers end a request with a body of no bytes behind its head
  return length === undefined ? stream?.endAfterHeaders === false : Number(length) !== 0;
}

/** The path of a request's target, and its query without the question mark. */
export function splitTarget(target: string): [path: string, query: string] {
  const index = target.indexOf('?');
  return index < 0 ? [target, ''] : [target.slice(0, index), target.slice(index + 1)];
}

/** `?pretty` and `?pretty=true` are on. */
function isOn(value: string | null): boolean {
  return value !== null && !/^(?:0|false|no)$/i.test(value);
}
