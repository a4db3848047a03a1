/** The release service in front of a sandbox Tiller whose calls a test can watch, delay and fail. */
import assert from 'node:assert/strict';
import type { Backend, TillerClient } from '../../src/backends/index.ts';
import { decodeMessage, encodeMessage, type Release } from '../../src/codec/index.ts';
import type { CallContext } from '../../src/protocol/index.ts';
import { createReleaseService, type ReleaseService } from '../../src/releases/index.ts';
import { type SandboxTiller, startSandboxTiller } from '../../src/sandbox/index.ts';
import { createTestTiller } from './gateway.ts';
import { createTestCharts } from './test-charts.ts';

type Intercept = (method: string) => void | Promise<void>;

/** A chart of one ConfigMap, and what else `more` makes. */
export function oneMap(text: string, more = '') {
  const map = (name: string) =>
    `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\ndata:\n  text: ${text}\n`;
  return {
    metadata: { name: 'one', version: '1.0.0' },
    templates: [
      { name: 'templates/map.yaml', data: Buffer.from(map('{{ .Release.Name }}')) },
      { name: 'templates/more.yaml', data: Buffer.from(more) },
    ],
  };
}

export class ReleaseCalls implements AsyncDisposable {
  /** The methods that Tiller was asked for, but for looks at its version. */
  readonly asked: string[] = [];
  /** Runs before each call is answered. */
  intercept: Intercept = () => {};
  readonly tiller: TillerClient;
  backend: Backend;
  readonly service: ReleaseService;
  readonly #sandbox: SandboxTiller;

  private constructor(sandbox: SandboxTiller, service: ReleaseService) {
    this.#sandbox = sandbox;
    this.tiller = createTestTiller(sandbox.address);
    this.backend = { kind: 'tiller', tiller: this.tiller };
    this.service = service;
  }

  static async start(service = createReleaseService(createTestCharts())): Promise<ReleaseCalls> {
    let calls: ReleaseCalls | undefined;
    const sandbox = await startSandboxTiller({
      intercept: ({ method }) => {
        if (method !== 'GetVersion') calls?.asked.push(method);
        return calls?.intercept(method);
      },
    });
    calls = new ReleaseCalls(sandbox, service);
    return calls;
  }

  /** Calls a unary method of swift's contract with a request as the contract has it. */
  async call(method: string, request: object, context: Partial<CallContext> = {}): Promise<Uint8Array> {
    const implemented = this.service.methods.find(({ contract }) => contract.name === method);
    assert.ok(implemented);
    const wire = encodeMessage(
      implemented.contract.request.name as 'appscode.swift.v2.GetVersionRequest',
      request,
    );
    const given = { signal: new AbortController().signal, deadline: undefined, ...context };
    if (implemented.kind === 'unary') return implemented.call(this.backend, wire, given);
    const messages: Uint8Array[] = [];
    for await (const message of implemented.call(this.backend, wire, given)) messages.push(message);
    return Buffer.concat(messages);
  }

  /** The revisions, newest first, as `version STATUS description`; empty where there is no release. */
  async history(name: string): Promise<string[]> {
    const reply = await this.call('GetHistory', { name }).catch(() => Buffer.alloc(0));
    const { releases } = decodeMessage('appscode.swift.v2.GetHistoryResponse', Buffer.from(reply));
    return releases.map(describe);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.tiller.destroy();
    await this.#sandbox.stop();
  }
}

function describe({ version, info }: Release): string {
  return `${version} ${info?.status?.code} ${info?.Description}`;
}
