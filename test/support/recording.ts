/** The recorded traffic of the real programs (test/conformance/README.md), read and typed. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { MessageTypes } from '../../src/codec/messages.gen.ts';
import { service } from '../../src/codec/schema.ts';

export const conformanceFolder = join(import.meta.dirname, '..', 'conformance');

/** One gRPC call between a client and Tiller. Messages are base64 without gRPC's 5-byte frame. */
export interface RecordedCall {
  /** The whole path, `/hapi.services.tiller.ReleaseService/GetVersion`. */
  method: string;
  /** The metadata `x-helm-api-client`. */
  client: string;
  requests: string[];
  responses: string[];
  status: number;
  message: string;
}

/** One step of rest-v2.jsonl: a REST request to swift, and what swift sent to Tiller for it. */
export interface RecordedStep {
  id: string;
  http: {
    request: { method: string; path: string; headers?: Record<string, string>; body?: unknown };
    response: { status: number; headers: Record<string, string>; body: string };
  };
  grpc: RecordedCall[];
}

/** The 137 REST steps, in order. */
export function readRestSteps(): RecordedStep[] {
  return readLines('rest-v2.jsonl') as RecordedStep[];
}

/** The gRPC calls of `helm test` on three releases, in order. */
export function readReleaseTestCalls(): RecordedCall[] {
  return readLines('release-test.jsonl') as RecordedCall[];
}

/** The lines of a `.jsonl` file of the conformance folder. */
export function readLines(file: string): unknown[] {
  const text = readFileSync(join(conformanceFolder, file), 'utf8');
  return text
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line) as unknown);
}

const tillerMethods = new Map(
  service('hapi.services.tiller.ReleaseService').methods.map(method => [method.name, method]),
);

/** The message types of one of Tiller's methods, named by its path or its last part. */
export function messageTypesOf(method: string): {
  request: keyof MessageTypes;
  response: keyof MessageTypes;
  streams: boolean;
} {
  const tillerMethod = tillerMethods.get(method.slice(method.lastIndexOf('/') + 1));
  if (!tillerMethod) throw new Error(`Tiller has no method ${method}`);
  return {
    request: tillerMethod.request.name as keyof MessageTypes,
    response: tillerMethod.response.name as keyof MessageTypes,
    streams: tillerMethod.serverStreaming,
  };
}
