/** The recorded requests, played to the sandbox Tiller: it must answer what the real one answered. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeMessage } from '../src/codec/schema.ts';
import { type SandboxTiller, startSandboxTiller } from '../src/sandbox/index.ts';
import {
  messageTypesOf,
  type RecordedCall,
  readLines,
  readReleaseTestCalls,
  readRestSteps,
} from './support/recording.ts';
import { callTiller, openTiller, type TillerClient } from './support/tiller-client.ts';

const negativeLimit = 'list-limit-negative';

async function playTo(sandbox: SandboxTiller, calls: { id: string; call: RecordedCall }[]): Promise<void> {
  using client = openTiller(sandbox.address);
  for (const { id, call } of calls) {
    if (id === negativeLimit) continue;
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
    responses: inAnyOrder(call, answer.responses).map(response => comparable(call, response)),
  };
}

function recordedAnswer(call: RecordedCall): unknown {
  const responses = call.responses.map(response => Buffer.from(response, 'base64'));
  return {
    status: call.status,
    message: call.message,
    responses: inAnyOrder(call, responses).map(response => comparable(call, response)),
  };
}

/** Tests run in the order of the hooks, which in Tiller is a map's: another one each time. */
function inAnyOrder(call: RecordedCall, responses: Buffer[]): Buffer[] {
  return call.method.endsWith('/RunReleaseTest') ? responses.toSorted(Buffer.compare) : responses;
}

/** Without what differs from run to run: times, the order of hooks (a map's in Tiller), and the cluster's own doings. */
function comparable(call: RecordedCall, wire: Buffer): unknown {
  const message = decodeMessage(messageTypesOf(call.method).response, wire);
  return JSON.parse(JSON.stringify(message), (key, value) => {
    if (key === 'resources') return resourceOutline(value);
    if (isTimestamp(value)) return 'a time';
    if (key === 'hooks' || key === 'results') return value.toSorted(byName);
    return value;
  });
}

/**
 * Which kinds with which columns, and the objects' names: no more of the table is the chart's doing. Of pods the number
 * counts, since their names are made up.
 */
function resourceOutline(table: string): string[] {
  return table.split('\n').map(line => {
    const [name = '', ...columns] = line.trim().split(/ {2,}/);
    if (name === '' || name.startsWith('==>')) return name;
    if (name === 'NAME') return [name, ...columns].join(' ');
    return /-[a-z0-9]{8,10}-[a-z0-9]{5}$/.test(name) ? 'a pod' : name;
  });
}

function isTimestamp(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'seconds' in value && 'nanos' in value;
}

function byName(a: { name: string }, b: { name: string }): number {
  return a.name < b.name ? -1 : 1;
}

test('the 137 REST steps of the recording, as gRPC', { timeout: 60_000 }, async () => {
  const sandbox = await startSandboxTiller();
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
  const sandbox = await startSandboxTiller({ listen: 'unix' });
  try {
    const calls = readReleaseTestCalls().map((call, index) => ({ id: `${index} ${call.method}`, call }));
    await playTo(sandbox, calls);
  } finally {
    await sandbox.stop();
  }
});

/** A line of helm-client.jsonl; without a request the client refused the chart itself. */
interface ClientPair {
  id: string;
  request?: string;
  response?: string;
  status?: number;
  message?: string;
}

function toInstallCall({ id, request, response, status = 0, message = '' }: ClientPair) {
  if (request === undefined) return [];
  const call: RecordedCall = {
    method: '/hapi.services.tiller.ReleaseService/InstallRelease',
    client: 'v2.17.0',
    requests: [request],
    responses: response === undefined ? [] : [response],
    status,
    message,
  };
  return [{ id, call }];
}

test('what the Helm client sends for 24 charts and values', { timeout: 30_000 }, async () => {
  const sandbox = await startSandboxTiller();
  try {
    const calls = (readLines('helm-client.jsonl') as ClientPair[]).flatMap(toInstallCall);
    assert.equal(calls.length, 20);
    await playTo(sandbox, calls);
  } finally {
    await sandbox.stop();
  }
});
