import type { Charts } from '../../charts/index.ts';
import {
  encodeMessage,
  type MessageTypes,
  messageType,
  type Partially,
  WireWriter,
} from '../../codec/index.ts';
import {
  type Answered,
  type ErrorForm,
  type Exchange,
  type Parameters as PathFields,
  type Route,
  sendJson,
  type Verb,
} from '../../http/index.ts';
import {
  type CallContext,
  Code,
  errorToHttpStatus,
  type GatewayError,
  type Job,
  refusesBody,
} from '../../protocol/index.ts';
import { callUnary, type ReleaseService } from '../../releases/index.ts';
import { type Description, describe } from './openapi.ts';
import { type OptionsOf, type OptionTables, readOptions } from './read-options.ts';

export interface HelmWrapperOptions {
  readonly service: ReleaseService;
  readonly charts: Charts;
  /** Largest request body in bytes. */
  readonly maxBodyBytes: number;
}

type SwiftRequest<M extends string> = MessageTypes[Extract<
  keyof MessageTypes,
  `appscode.swift.v2.${M}Request`
>];

type MethodName = {
  [Name in keyof MessageTypes]: Name extends `appscode.swift.v2.${infer M}Request` ? M : never;
}[keyof MessageTypes];

/** One request, and what may be asked for its answer. */
export type Call = ReturnType<typeof createCall>;

function createCall(
  exchange: Exchange,
  parameters: PathFields,
  context: CallContext,
  app: HelmWrapperOptions,
) {
  /** A field of the path. */
  const field = (name: string) => parameters[name] ?? '';
  return {
    exchange,
    context,
    app,
    field,
    /** The release that the path names. */
    release: { name: field('release'), namespace: field('namespace') },
    /** A parameter of the query; what is empty counts as not given. */
    query: (name: string) => exchange.query.get(name) ?? '',
    options: <N extends keyof OptionTables>(table: N): Promise<OptionsOf<OptionTables[N]>> =>
      readOptions(exchange, table, app.maxBodyBytes, context),
    /**
     * Asks the release service of the cluster that the request is for; the reply is in wire format.
     * @param messages further fields of the request, in wire format
     */
    ask<M extends MethodName>(
      method: M,
      request: Partially<SwiftRequest<M>>,
      messages: Readonly<Record<string, Uint8Array>> = {},
    ): Promise<Uint8Array> {
      const type = `appscode.swift.v2.${method}Request` as const;
      const given = encodeMessage(type, request as Parameters<typeof encodeMessage<typeof type>>[1]);
      const message = withMessages(type, given, messages);
      return exchange.cluster.withBackend(context.signal, backend =>
        callUnary(app.service, method, backend, message, context),
      );
    },
    /** The work of making an answer of something, for a thread where that is large. */
    job: (bytes: number): Job => ({ what: 'the reply', bytes, signal: context.signal, hold: context.hold }),
  };
}

function withMessages(
  type: string,
  given: Uint8Array,
  messages: Readonly<Record<string, Uint8Array>>,
): Uint8Array {
  const out = new WireWriter(given.length + 64).raw(given);
  for (const [name, wire] of Object.entries(messages)) {
    const field = messageType(type).byName.get(name);
    if (!field) throw new Error(`${type} has no ${name}`);
    out.bytesField(field.number, wire);
  }
  return out.finish();
}

/** The routes of an API by verb and path, such as `GET /api/charts`. */
export type RouteTable = Readonly<
  Record<string, Description & { readonly answer: (call: Call) => Promise<Data> | Promise<void> }>
>;

/** Makes routes whose answers are data in the envelope. */
export function toRoutes(table: RouteTable, options: HelmWrapperOptions): Route[] {
  return Object.entries(table).map(([key, { answer, ...text }]) => {
    const [verb, template] = key.split(' ') as [Verb, string];
    return {
      template,
      verbs: [verb],
      summary: text.summary,
      perCluster: true,
      errorForm,
      operation: describe(verb, template, text),
      answer: (exchange, parameters) =>
        exchange.withContext(async context =>
          sendData(exchange, (await answer(createCall(exchange, parameters, context, options))) ?? undefined),
        ),
    };
  });
}

/**
 * The data of an answer as JSON text; nothing where an answer has none. Text, since what is large is made in a thread.
 */
export type Data = Buffer | string | undefined;

/** `{"code": 0, "data": ...}` */
function sendData(exchange: Exchange, data: Data): Promise<Answered> {
  if (data === undefined) return sendJson(exchange, '{"code":0}');
  if (typeof data === 'string') return sendJson(exchange, `{"code":0,"data":${data}}`);
  return sendJson(exchange, Buffer.concat([opening, data, closing]));
}

const opening = Buffer.from('{"code":0,"data":');
const closing = Buffer.from('}');

/**
 * Errors in the same envelope, with status 200 as helm-wrapper answers every error of its own. What it does not have, the
 * bounds of this gateway, keeps its status, so that proxies and clients with retries see it.
 */
const errorForm: ErrorForm = error => ({
  status: isLimit(error) ? errorToHttpStatus(error) : 200,
  body: { code: 1, error: error.message },
});

function isLimit(error: GatewayError): boolean {
  return refusesBody(error) || (error.code === Code.RESOURCE_EXHAUSTED && error.reason === 'LIMIT_EXCEEDED');
}
