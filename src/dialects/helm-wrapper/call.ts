import type { Charts } from '../../charts/index.ts';
import type { Upstream } from '../../clusters/index.ts';
import {
  encodeMessage,
  type MessageTypes,
  messageType,
  type Partially,
  WireWriter,
} from '../../codec/index.ts';
import type { Answered, Exchange, Parameters as PathFields, Route, Verb } from '../../http/index.ts';
import type { CallContext, Job } from '../../protocol/index.ts';
import { callUnary, type ReceiveUpload, type ReleaseService } from '../../releases/index.ts';
import { type Data, errorForm, sendData } from './envelope.ts';
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
export class Call {
  readonly exchange: Exchange;
  readonly parameters: PathFields;
  readonly context: CallContext;
  readonly #options: HelmWrapperOptions;

  constructor(exchange: Exchange, parameters: PathFields, context: CallContext, options: HelmWrapperOptions) {
    this.exchange = exchange;
    this.parameters = parameters;
    this.context = context;
    this.#options = options;
  }

  get charts(): Charts {
    return this.#options.charts;
  }

  get receiveUpload(): ReceiveUpload {
    return this.#options.service.receiveUpload;
  }

  get maxBodyBytes(): number {
    return this.#options.maxBodyBytes;
  }

  /** A field of the path. */
  field(name: string): string {
    return this.parameters[name] ?? '';
  }

  /** The release that the path names. */
  get release(): { readonly name: string; readonly namespace: string } {
    return { name: this.field('release'), namespace: this.field('namespace') };
  }

  /** A parameter of the query; what is empty counts as not given. */
  query(name: string): string {
    return this.exchange.query.get(name) ?? '';
  }

  options<N extends keyof OptionTables>(table: N): Promise<OptionsOf<OptionTables[N]>> {
    return readOptions(this.exchange, table, this.#options.maxBodyBytes, this.context);
  }

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
    const { exchange, context } = this;
    return exchange.cluster.withBackend(context.signal, (backend: Upstream['backend']) =>
      callUnary(this.#options.service, method, backend, message, context),
    );
  }

  /** The work of making an answer of something, for a thread where that is large. */
  job(bytes: number): Job {
    const { signal, hold } = this.context;
    return { what: 'the reply', bytes, signal, hold };
  }
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

export interface RouteText extends Description {
  readonly summary: string;
}

/** Makes a route whose answer is data in the envelope. */
export function routeMaker(options: HelmWrapperOptions) {
  return (verb: Verb, template: string, text: RouteText, answer: (call: Call) => Promise<Data>): Route => ({
    template,
    verbs: [verb],
    summary: text.summary,
    perCluster: true,
    errorForm,
    operation: describe(verb, template, text),
    answer: (exchange: Exchange, parameters: PathFields): Promise<Answered> =>
      exchange.withContext(async context =>
        sendData(exchange, await answer(new Call(exchange, parameters, context, options))),
      ),
  });
}

export type MakeRoute = ReturnType<typeof routeMaker>;
