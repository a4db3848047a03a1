import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as grpc from '@grpc/grpc-js';
import { decodeMessage, encodeMessage } from '../src/codec/schema.ts';
import { Playback } from './support/playback.ts';
import {
  messageTypesOf,
  type RecordedCall,
  readReleaseTestCalls,
  readRestSteps,
} from './support/recording.ts';
import { messageDifference } from './support/same-message.ts';
import { startStubTiller } from './support/stub-tiller.ts';
import { callTiller, openTiller } from './support/tiller-client.ts';

const options = { timeout: 20_000 };

test('every recorded call is played back as it was recorded', options, async () => {
  await using stub = await startStubTiller();
  using client = openTiller(stub.address);
  const playback = new Playback(stub);
  for (const recorded of [...readRestSteps().flatMap(step => step.grpc), ...readReleaseTestCalls()]) {
    playback.load([recorded]);
    const answer = await callTiller(client, recorded.method, Buffer.from(recorded.requests[0]!, 'base64'));
    assert.deepEqual(playback.faults(), []);
    assert.equal(answer.status, recorded.status);
    assert.equal(answer.message, recorded.message);
    assert.deepEqual(
      answer.responses.map(response => response.toString('base64')),
      recorded.responses,
    );
  }
});

test('playback names what differs, what is too much and what is missing', options, async () => {
  await using stub = await startStubTiller();
  using client = openTiller(stub.address);
  const playback = new Playback(stub);
  const [status, content] = readRestSteps()
    .filter(step => step.id === 'status-unknown' || step.id === 'content-unknown')
    .flatMap(step => step.grpc) as [RecordedCall, RecordedCall];
  playback.load([status, content]);
  const other = encodeMessage('hapi.services.tiller.GetReleaseStatusRequest', { name: 'other' });
  await callTiller(client, status.method, other);
  assert.match(playback.faults()[0]!, /GetReleaseStatus: .*\n.*[\s\S]*other/);
  assert.match(playback.faults()[1]!, /GetReleaseContent was expected but did not come/);
  playback.load([]);
  await callTiller(client, status.method, other);
  assert.match(playback.faults()[0]!, /GetReleaseStatus was not expected: .*other/);
});

test('order of files and dependencies does not count, their content does', () => {
  const chart = (files: string[], value = 'x') => ({
    metadata: { name: 'c' },
    files: files.map(name => ({ type_url: name, value: Buffer.from(value) })),
    dependencies: files.map(name => ({ metadata: { name } })),
  });
  const encode = (...given: Parameters<typeof chart>) => encodeMessage('hapi.chart.Chart', chart(...given));
  const request = (...given: Parameters<typeof chart>) =>
    encodeMessage('hapi.services.tiller.InstallReleaseRequest', { name: 'r', chart: chart(...given) });
  assert.equal(messageDifference('hapi.chart.Chart', encode(['a']), encode(['a'])), undefined);
  const type = 'hapi.services.tiller.InstallReleaseRequest';
  assert.equal(messageDifference(type, request(['a', 'b']), request(['b', 'a'])), undefined);
  assert.ok(messageDifference(type, request(['a', 'b']), request(['b', 'a'], 'y')));
});

test('a call that is left is known as cancelled, one that hangs can be', options, async () => {
  await using stub = await startStubTiller({ replies: { GetHistory: { hang: 'before' } } });
  using client = openTiller(stub.address);
  const abort = new AbortController();
  const answer = callTiller(client, 'GetHistory', Buffer.alloc(0), { signal: abort.signal });
  const call = await stub.arrival('GetHistory');
  assert.equal(call.outcome, 'open');
  abort.abort();
  await call.done;
  assert.equal(call.outcome, 'cancelled');
  assert.equal((await answer).status, grpc.status.CANCELLED);
});

test('killed mid-call and back on the same port', options, async () => {
  await using stub = await startStubTiller({ replies: { GetHistory: { hang: 'before' } } });
  using client = openTiller(stub.address);
  const answer = callTiller(client, 'GetHistory', Buffer.alloc(0));
  await stub.arrival('GetHistory');
  await stub.kill();
  assert.equal((await answer).status, grpc.status.UNAVAILABLE);
  await stub.restart();
  const version = await callTiller(client, 'GetVersion', Buffer.alloc(0), { waitForReady: true });
  assert.equal(version.status, 0);
  const { response } = messageTypesOf('GetVersion');
  assert.deepEqual(decodeMessage(response, version.responses[0]!), {
    Version: {
      sem_ver: 'v2.17.0',
      git_commit: 'a690bad98af45b015bd3da1a41f6218b1a451dbe',
      git_tree_state: 'clean',
    },
  });
});

test(
  'a stream stops where the script says: messages, then an error status, with headers and trailers',
  options,
  async () => {
    await using stub = await startStubTiller({
      replies: {
        RunReleaseTest: {
          responses: [Buffer.from('0a0161', 'hex'), Buffer.from('0a0162', 'hex')],
          betweenMs: 1,
          delayMs: 1,
          status: 2,
          message: 'broke 100%',
          headers: { 'x-h': 'head' },
          trailers: { 'x-t': 'tail' },
        },
      },
    });
    using client = openTiller(stub.address);
    const answer = await callTiller(client, 'RunReleaseTest', Buffer.alloc(0), {
      metadata: { 'x-helm-api-client': 'v2.17.0' },
    });
    assert.deepEqual(answer.responses.map(String), ['\n\x01a', '\n\x01b']);
    assert.equal(answer.status, 2);
    assert.equal(answer.message, 'broke 100%');
    assert.deepEqual(answer.trailers.get('x-t'), ['tail']);
    assert.deepEqual(stub.calls[0]!.metadata.get('x-helm-api-client'), ['v2.17.0']);
  },
);
