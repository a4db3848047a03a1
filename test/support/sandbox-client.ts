/** The sandbox Tiller for a test: started, spoken to over gRPC in plain objects, stopped. */
import assert from 'node:assert/strict';
import type { MessageTypes } from '../../src/codec/messages.gen.ts';
import { decodeMessage, encodeMessage, type Partially } from '../../src/codec/schema.ts';
import {
  type SandboxTiller,
  type SandboxTillerOptions,
  startSandboxTiller,
} from '../../src/sandbox/index.ts';
import { type CallOptions, callTiller, openTiller, type TillerClient } from './tiller-client.ts';

const prefix = 'hapi.services.tiller.';

/** The methods whose messages are named after them. */
export type PlainMethod =
  | 'GetHistory'
  | 'GetReleaseContent'
  | 'GetReleaseStatus'
  | 'GetVersion'
  | 'InstallRelease'
  | 'ListReleases'
  | 'RollbackRelease'
  | 'UninstallRelease'
  | 'UpdateRelease';

type Request<M extends PlainMethod> = Partially<MessageTypes[`hapi.services.tiller.${M}Request`]>;
type Response<M extends PlainMethod> = MessageTypes[`hapi.services.tiller.${M}Response`];

export class SandboxClient implements AsyncDisposable {
  readonly sandbox: SandboxTiller;
  readonly client: TillerClient;

  private constructor(sandbox: SandboxTiller) {
    this.sandbox = sandbox;
    this.client = openTiller(sandbox.address);
  }

  static async start(options: SandboxTillerOptions = {}): Promise<SandboxClient> {
    return new SandboxClient(await startSandboxTiller(options));
  }

  /** The answers to a call that must succeed. */
  async all<M extends PlainMethod>(method: M, request: Request<M>): Promise<Response<M>[]> {
    const bytes = encodeMessage(`${prefix}${method}Request`, request as never);
    const { status, message, responses } = await this.raw(method, bytes);
    assert.equal(status, 0, message);
    return responses.map(response => decodeMessage(`${prefix}${method}Response`, response) as Response<M>);
  }

  /** The one answer to a call that must succeed. */
  async call<M extends PlainMethod>(method: M, request: Request<M>): Promise<Response<M>> {
    const responses = await this.all(method, request);
    assert.equal(responses.length, 1);
    return responses[0]!;
  }

  /** `code message` of a call that must fail. */
  async failure<M extends PlainMethod>(method: M, request: Request<M>): Promise<string> {
    const { status, message } = await this.raw(
      method,
      encodeMessage(`${prefix}${method}Request`, request as never),
    );
    assert.notEqual(status, 0, `${method} did not fail`);
    return `${status} ${message}`;
  }

  /** The lines of `RunReleaseTest`, `STATUS: text`. */
  async testLines(
    request: Partially<MessageTypes['hapi.services.tiller.TestReleaseRequest']>,
  ): Promise<string[]> {
    const bytes = encodeMessage(`${prefix}TestReleaseRequest`, request);
    const { status, message, responses } = await this.raw('RunReleaseTest', bytes);
    assert.equal(status, 0, message);
    return responses
      .map(response => decodeMessage(`${prefix}TestReleaseResponse`, response))
      .map(line => `${line.status} ${line.msg}`);
  }

  raw(method: string, request: Uint8Array, options: CallOptions = {}): ReturnType<typeof callTiller> {
    const metadata = { 'x-helm-api-client': 'v2.17.0', ...options.metadata };
    return callTiller(this.client, method, request, { ...options, metadata });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.client[Symbol.dispose]();
    await this.sandbox.stop();
  }
}
