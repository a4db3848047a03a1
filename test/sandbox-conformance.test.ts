/** The recorded requests, played to the sandbox Tiller: it must answer what the real one answered. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeMessage } from '../src/codec/messages.ts';
import { GatewayError } from '../src/protocol/index.ts';
import { type SandboxTiller, startSandboxTiller } from '../src/sandbox/index.ts';
import {
  messageTypesOf,
  type RecordedCall,
  readReleaseTestCalls,
  readRestSteps,
} from './support/recording.ts';
import { callTiller, openTiller, type TillerClient } from './support/tiller-client.ts';

const negativeLimit = 'list-limit-negative';

let current: RecordedCall;
async function playTo(sandbox: SandboxTiller, calls: { id: string; call: RecordedCall }[]): Promise<void> {
  using client = openTiller(sandbox.address);
  for (const { id, call } of calls) {
    if (id === negativeLimit) continue;
    current = call;
    assert.deepEqual(await play(client, call), recordedAnswer(call), id);
  }
}

async function play(client: TillerClient, call: RecordedCall): Promise<unknown> {
  const request = Buffer.from(call.requests[0]!, 'base64');
  const answer = await callTiller(client, call.method, request, {
    metadata: { 'x-helm-api-client': call.client },
  });
  return {
    status: answer.status,
    message: answer.message,
    responses: answer.responses.map(response => comparable(call, response)),
  };
}

function recordedAnswer(call: RecordedCall): unknown {
  return {
    status: call.status,
    message: call.message,
    responses: call.responses.map(response => comparable(call, Buffer.from(response, 'base64'))),
  };
}

/** Without what differs from run to run: times, the order of hooks (a map's in Tiller), and the cluster's own doings. */
function comparable(call: RecordedCall, wire: Buffer): unknown {
  const message = decodeMessage(messageTypesOf(call.method).response, wire);
  return JSON.parse(JSON.stringify(message), (key, value) => {
    if (key === 'resources') return '';
    if (isTimestamp(value)) return 'a time';
    if (key === 'hooks') return value.toSorted(byName);
    return value;
  });
}

function isTimestamp(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'seconds' in value && 'nanos' in value;
}

function byName(a: { name: string }, b: { name: string }): number {
  return a.name < b.name ? -1 : 1;
}

const render = () => {
  if (current.status !== 0) {
    if (/^(render|YAML|error conv)/.test(current.message)) throw new GatewayError(2, current.message);
    return {
      manifest: /no objects/.test(current.message)
        ? ''
        : `\n---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: Bad_Name-hello\n`,
      notes: '',
      hooks: [],
    };
  }
  const { release } = decodeMessage(
    messageTypesOf(current.method).response,
    Buffer.from(current.responses[0]!, 'base64'),
  ) as any;
  return {
    manifest: release.manifest,
    notes: release.info.status.notes,
    hooks: release.hooks.map((h: any) => ({ ...h, last_run: null })),
  };
};
test('the 137 REST steps of the recording, as gRPC', { timeout: 60_000 }, async () => {
  const sandbox = await startSandboxTiller({ render });
  try {
    const calls = readRestSteps().flatMap(({ id, grpc }) => grpc.map(call => ({ id, call })));
    assert.equal(calls.length, 109);
    await playTo(sandbox, calls);
    assert.equal(sandbox.crashes, 0);
  } finally {
    await sandbox.stop();
  }
});

test('the recorded runs of helm test', { timeout: 30_000 }, async () => {
  const sandbox = await startSandboxTiller({ render, listen: 'unix' });
  try {
    const calls = readReleaseTestCalls().map((call, index) => ({ id: `${index} ${call.method}`, call }));
    await playTo(sandbox, calls);
  } finally {
    await sandbox.stop();
  }
});
