import type { Backend } from '../../backends/index.ts';
import { messageType, wireToJson } from '../../codec/index.ts';
import type { CallContext } from '../../protocol/index.ts';
import { callUnary, type ReleaseService } from '../../releases/index.ts';

const responseType = messageType('appscode.swift.v2.GetVersionResponse');

/** What one cluster's version request answers as its `Version`. */
export async function askVersion(
  service: ReleaseService,
  backend: Backend,
  context: CallContext,
): Promise<unknown> {
  const reply = await callUnary(service, 'GetVersion', backend, Buffer.alloc(0), context);
  const { Version } = JSON.parse(wireToJson(responseType, reply).toString()) as {
    readonly Version?: unknown;
  };
  return Version ?? {};
}
