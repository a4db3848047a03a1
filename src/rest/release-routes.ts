import type { Backend } from '../clusters/index.ts';
import { decodeMessage, type HttpBinding, isReadOnly, type Method } from '../codec/index.ts';
import {
  type Answered,
  type Exchange,
  hasContentType,
  type Parameters,
  type Route,
  readUploadForm,
  sendContent,
  sendJson,
  sendsBody,
  toForwardTarget,
} from '../http/index.ts';
import {
  afterWrite,
  type CallContext,
  Code,
  GatewayError,
  type HttpRequest,
  headerOf,
  invalidArgument,
} from '../protocol/index.ts';
import { isLive, type ReleaseMethod, type ReleaseService, replyToJson } from '../releases/index.ts';
import { answerStream, lastEventId, linesOf, liveFormat, readEvent, resumeAfter } from './answer-stream.ts';
import { bindRequest, formToMessage, jsonToMessage } from './request-message.ts';
import { wantedText } from './text-answers.ts';

export interface ReleaseRouteOptions {
  readonly service: ReleaseService;
  /** Largest request body in bytes. */
  readonly maxBodyBytes: number;
  /** Turns off the rollback by GET, which swift's clients use and a crawler could. */
  readonly disableGetRollback: boolean;
}

/** A route of the contract: a method at one of its `google.api.http` annotations. */
export interface ReleaseRoute extends Route {
  readonly contract: Method;
  readonly binding: HttpBinding;
}

/** One request at a route of the contract. */
interface RouteCall {
  readonly exchange: Exchange;
  readonly parameters: Parameters;
  readonly method: ReleaseMethod;
  readonly binding: HttpBinding;
  readonly backend: Backend;
  readonly context: CallContext;
}

/** The routes of the release service, for each cluster. */
export function createReleaseRoutes(options: ReleaseRouteOptions): ReleaseRoute[] {
  const routeOf = (method: ReleaseMethod, binding: HttpBinding): ReleaseRoute => {
    const { contract } = method;
    const route = {
      hasBody: binding.body,
      // a body that has gone on cannot be sent twice
      isRead: isReadOnly(contract) && !binding.body,
      isLive: isLive(contract),
    };
    return {
      contract,
      binding,
      template: binding.path,
      verbs: [binding.verb],
      summary: contract.comment.split('\n', 1)[0] ?? '',
      perCluster: true,
      // a body makes Tiller and chart repositories work, which no page of another origin may do
      changes: !route.isRead,
      isLive: route.isLive,
      answer: (exchange, parameters) =>
        answerByCluster(exchange, route, (backend, context) =>
          answerHere({ exchange, parameters, method, binding, backend, context }, options),
        ),
    };
  };
  return options.service.methods
    .flatMap(method => method.contract.bindings.map(binding => routeOf(method, binding)))
    .filter(
      ({ contract, binding }) =>
        isReadOnly(contract) || binding.verb !== 'GET' || !options.disableGetRollback,
    );
}

/** Answers at any other path of a cluster that has a gateway of its own, which may know more paths than this one. */
export const forwardRoute: Route = {
  template: '/',
  verbs: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'],
  summary: "Passes a request on to the cluster's own gateway.",
  perCluster: true,
  // whatever the verb: a newer gateway may have paths that are not known here
  changes: true,
  answer: exchange =>
    answerByCluster(exchange, { hasBody: false, isRead: false, isUnknown: true }, () => {
      const path = exchange.target.path.slice(0, 200);
      throw new GatewayError(Code.NOT_FOUND, `nothing is at ${path} of a cluster`);
    }),
};

/**
 * Holds the cluster open for the answer: the cluster's own gateway's where it has one, else what `here` makes of it. A
 * live stream is always made here, so that this gateway ends it when it stops or the client is too slow.
 * @param route whether its method takes a body, whether it changes nothing, so that it may be sent twice, and whether it is
 * one of the other gateway's alone: then a change that has a body is refused, since without it it would be another change
 */
function answerByCluster(
  exchange: Exchange,
  route: Readonly<Record<'hasBody' | 'isRead', boolean> & Partial<Record<'isLive' | 'isUnknown', boolean>>>,
  here: (backend: Backend, context: CallContext) => Promise<Answered>,
): Promise<Answered> {
  const { cluster, request, response, target: asked, verb, routeVerb, hold } = exchange;
  return exchange.withContext(context =>
    cluster.withBackend(
      context.signal,
      backend => {
        if (backend.kind !== 'gateway' || route.isLive) return here(backend, context);
        if (route.isUnknown && /^(?:POST|PUT|PATCH|DELETE)$/.test(verb) && sendsBody(request)) {
          throw invalidArgument(
            `${asked.path.slice(0, 200)} is not known here, and bodies are passed on only to paths that are: ask the cluster's own gateway`,
          );
        }
        const target = toForwardTarget(asked);
        const forwarded = { ...route, hold, verb: verb === 'HEAD' ? verb : routeVerb, target };
        return backend.gateway.forward(request, response, forwarded, context);
      },
      route.isLive,
    ),
  );
}

/** Answers with the reply as JSON; a method that streams answers in lines, or as the client wants its events. */
async function answerHere(
  call: RouteCall,
  { service, maxBodyBytes }: ReleaseRouteOptions,
): Promise<Answered> {
  const { exchange, method, binding, backend, context } = call;
  const { contract } = method;
  if (takesArchive(contract) && hasContentType(exchange.request, 'multipart/form-data'))
    return answerReply(call, await keepForm(call, service, maxBodyBytes));
  const message = await readMessage(call, maxBodyBytes);
  if (method.kind === 'unary') {
    const toText = wantedText(exchange, contract.name);
    const reply = await method.call(backend, message, context);
    if (isPicture(binding)) return sendPicture(exchange, reply);
    if (toText) return sendContent(exchange, toText(reply));
    return answerReply(call, reply);
  }
  if (!isLive(contract)) {
    const messages = method.call(backend, message, context);
    return answerStream(exchange, messages, context, linesOf(contract, context));
  }
  const events = method.call(backend, resumeAfter(message, lastEventId(exchange)), context);
  return answerStream(exchange, events, context, liveFormat(exchange, readEvent));
}

/** The request message. A body is read where the route takes one; an empty one says nothing, as `{}` does. */
async function readMessage(
  { exchange, parameters, method, binding, context }: RouteCall,
  maxBytes: number,
): Promise<Uint8Array> {
  const { request, query, hold } = exchange;
  const { contract } = method;
  if (!binding.body) return bindRequest(contract, parameters, query);
  requireIdentity(request);
  const bytes = await exchange.readBody(maxBytes);
  const rest = bindRequest(contract, parameters, query);
  const { name } = contract.request;
  const { signal } = context;
  const job = { what: 'the request body', bytes: bytes.length, signal, hold, move: true };
  if (hasContentType(request, 'multipart/form-data'))
    return formToMessage(job, headerOf(request, 'content-type') ?? '', name, bytes, rest);
  return bytes.length === 0 ? rest : jsonToMessage(job, name, bytes, rest);
}

function requireIdentity(request: HttpRequest): void {
  const encoding = headerOf(request, 'content-encoding') ?? 'identity';
  if (encoding === 'identity') return;
  const name = JSON.stringify(encoding.slice(0, 40));
  throw invalidArgument(`Content-Encoding: ${name} is not supported for requests`);
}

/** Whether a form's file is a chart that is kept: such a form is not read into memory. */
export function takesArchive({ name }: Method): boolean {
  return name === 'UploadChart';
}

/** The query overrules the form's fields. @returns the reply of UploadChart */
async function keepForm(
  { exchange, method: { contract }, context }: RouteCall,
  { receiveUpload }: ReleaseService,
  maxBytes: number,
): Promise<Uint8Array> {
  requireIdentity(exchange.request);
  bindRequest(contract, {}, exchange.query);
  const { received, fileName, fields } = await readUploadForm(exchange, receiveUpload, maxBytes, context);
  const given = new URLSearchParams([...exchange.query, ...fields, ['file_name', fileName]]);
  try {
    given.delete('archive');
    return await received.keep(bindRequest(contract, {}, given));
  } finally {
    await received.discard();
  }
}

/** Where an answer is the picture itself: a binding that does not say `json` at its end. */
export function isPicture({ path }: HttpBinding): boolean {
  return path.endsWith('/icon');
}

/** A browser that opens it runs nothing, whatever the picture is: an SVG may have scripts. */
const picturePolicy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox";

function sendPicture(exchange: Exchange, reply: Uint8Array): Promise<Answered> {
  const { type, data } = decodeMessage('appscode.swift.v2.GetChartIconResponse', reply);
  exchange.response.setHeader('Content-Security-Policy', picturePolicy);
  return sendContent(exchange, { status: 200, type, body: Buffer.from(data) });
}

async function answerReply({ exchange, method, context }: RouteCall, reply: Uint8Array): Promise<Answered> {
  const { contract } = method;
  const job = { ...context, what: 'the reply', bytes: reply.length };
  try {
    return await sendJson(exchange, await replyToJson(job, contract.response.name, reply));
  } catch (error) {
    throw isReadOnly(contract) ? error : afterWrite(error);
  }
}
