/** What is large is translated in threads: while they work, everybody else is answered, at every door. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { decodeMessage, encodeMessage, limits, rewriteMessage } from '../src/codec/index.ts';
import { messageType } from '../src/codec/schema.ts';
import { inThread } from '../src/protocol/index.ts';
import { toCheckedRequest } from '../src/releases/index.ts';
import { writeValuesAsJson } from '../src/releases/swift-json.ts';
import { bodyToMessage, multipartToMessage } from '../src/rest/request-message.ts';
import { eventually } from './support/eventually.ts';
import { startTestGateway, type TestGateway } from './support/gateway.ts';
import { type StubTiller, startStubTiller } from './support/stub-tiller.ts';
import { Gate, hold } from './support/thread-work.ts';

const install = 'appscode.swift.v2.InstallReleaseRequest';
const path = '/tiller/v2/releases/a';
const text = 'kind: Service\n'.repeat(100_000);
const content = encodeMessage('hapi.services.tiller.GetReleaseContentResponse', {
  release: { name: 'a', manifest: text, config: { raw: 'a: [1]' } },
});

let stub: StubTiller;
let gateway: TestGateway;

before(async () => {
  stub = await startStubTiller({
    record: true,
    replies: {
      GetReleaseContent: { responses: [content] },
      InstallRelease: { responses: [content] },
      GetVersion: { responses: [encodeMessage('hapi.services.tiller.GetVersionResponse', {})] },
    },
  });
  gateway = await startTestGateway(stub.address);
});
after(async () => {
  await gateway[Symbol.asyncDispose]();
  await stub.stop();
});

const post = (body: string, type: string) => ({ method: 'POST', body, headers: { 'content-type': type } });
const form = `--x\r\nContent-Disposition: form-data; name="values.raw"\r\n\r\n${text}\r\n--x\r\nContent-Disposition: form-data; name="chart"\r\n\r\n{"metadata":{"name":"x"}}\r\n--x--\r\n`;
const body = JSON.stringify({ chart: { metadata: { name: 'x' } }, values: { raw: text } });
const large: [string, string, RequestInit?][] = [
  ['a body of JSON', `${path}/json`, post(body, 'application/json')],
  ['a form', `${path}/json`, post(form, 'multipart/form-data; boundary=x')],
  ['a reply', `${path}/content/json`],
  ['a reply, indented', `${path}/content/json?pretty`],
  ['a reply with its values as JSON', `${path}/content/json?format_values_as_json=true`],
];

test('while large messages are translated, others are answered', { timeout: 110_000 }, async () => {
  const module = new URL('./support/thread-work.ts', import.meta.url).href;
  const { signal } = new AbortController();
  const gates = [new Gate(), new Gate()];
  const job = { what: 'a test', bytes: 0, signal };
  const held = gates.map(gate => inThread(module, hold)(job, gate.state));
  await Promise.all(gates.map(gate => gate.held()));
  const answered: string[] = [];
  const answers = large.map(async ([what, url, init]) => {
    const answer = await fetch(gateway.url + url, init);
    const answerText = await answer.text();
    answered.push(what);
    assert.equal(answer.status, 200, `${what}: ${answerText.slice(0, 300)}`);
    return answerText;
  });
  // their replies are there, and wait for a thread
  const asked = () => stub.calls.filter(call => call.method.endsWith('GetReleaseContent')).length;
  await eventually(() => asked() === 3);
  for (let count = 0; count < 10; count++) {
    const version = await fetch(`${gateway.url}/tiller/v2/version/json`);
    assert.equal(version.status, 200);
    await version.arrayBuffer();
  }
  assert.deepEqual(answered, []);
  for (const gate of gates) gate.open();
  await Promise.all(held);
  const texts = await Promise.all(answers);
  for (const answer of texts) assert.equal(JSON.parse(answer).release.manifest, text);
  assert.equal(JSON.parse(texts[4]!).release.config.raw, '{"a":[1]}');
  assert.match(texts[3]!, /^\{\n {2}"release": \{\n/);
});

/** Each bound: a request just below it, and one just above. */
const bounds: [string, (over: boolean) => unknown, RegExp][] = [
  [
    'values in a body',
    over => bodyToMessage(install, json(`{"zzz":[${list(limits.maxNodes - (over ? 0 : 1))}]}`), nothing),
    /the JSON body has more than 100000 values/,
  ],
  [
    'values in values_json',
    over =>
      bodyToMessage(
        install,
        json(`{"values_json":{"a":[${list(limits.maxNodes - (over ? 1 : 2))}]}}`),
        nothing,
      ),
    /the JSON body has more than 100000 values/,
  ],
  [
    'members of values_json',
    over =>
      bodyToMessage(install, json(`{"values_json":{${members(limits.maxNodes - (over ? 0 : 1))}}}`), nothing),
    /the JSON body has more than 100000 values/,
  ],
  [
    'depth of a body',
    over => bodyToMessage(install, json(`{"zzz":${nested(limits.maxDepth + (over ? 2 : 1))}}`), nothing),
    /nests deeper than 100/,
  ],
  [
    'digits of a number',
    over => bodyToMessage(install, json(`{"zzz":${'1'.repeat(over ? 401 : 400)}}`), nothing),
    /malformed number/,
  ],
  [
    'parts of a form',
    over => multipartToMessage('multipart/form-data; boundary=x', install, parts(over ? 201 : 200), nothing),
    /the form has more than 200 parts/,
  ],
  [
    'fields of a message',
    over =>
      rewriteMessage(
        messageType('hapi.services.tiller.ListReleasesRequest'),
        Buffer.alloc(2 * (limits.maxNodes + (over ? 1 : 0)), Buffer.from([0x30, 1])),
      ),
    /the message has more than 100000 values/,
  ],
  [
    'numbers packed in one field',
    over =>
      rewriteMessage(
        messageType('hapi.services.tiller.ListReleasesRequest'),
        packed(over ? 100_000 : 99_999),
      ),
    /the message has more than 100000 values/,
  ],
];

const nothing = new Uint8Array();
const json = (value: string) => Buffer.from(value);
const list = (count: number) => Array(count).fill('[]').join(',');
const members = (count: number) => Array.from({ length: count }, (_, index) => `"${index}":1`).join(',');
const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
const parts = (count: number) =>
  Buffer.from(`${'--x\r\nContent-Disposition: form-data; name="set"\r\n\r\na=b\r\n'.repeat(count)}--x--\r\n`);
/** `status_codes` of a list request as one run. */
const packed = (count: number) =>
  Buffer.concat([
    Buffer.from([0x32, (count & 127) | 128, ((count >> 7) & 127) | 128, count >> 14]),
    Buffer.alloc(count, 1),
  ]);

describe('bounds: one below passes, one above is refused', () => {
  for (const [what, run, message] of bounds) {
    test(what, async () => {
      await (async () => run(false))();
      await assert.rejects(async () => run(true), { name: 'GatewayError', message });
    });
  }
});

test('a large request of the pass-through is checked as a small one', async () => {
  const { signal } = new AbortController();
  const context = { signal, deadline: undefined };
  const request = (raw: string, name: string) =>
    encodeMessage('hapi.services.tiller.InstallReleaseRequest', {
      name,
      chart: name === '' ? {} : { metadata: { name } },
      values: { raw },
    });
  const whole = request(text, 'x');
  assert.ok(Buffer.from(whole).equals(await toCheckedRequest('InstallRelease', whole, context)));
  for (const raw of ['', text]) {
    await assert.rejects(async () => toCheckedRequest('InstallRelease', request(raw, ''), context), {
      code: 3,
      message: 'chart.metadata: is missing',
    });
  }
});

test('values of too many entries stay YAML where JSON is asked for', () => {
  const valuesOf = (count: number) => {
    const raw = `a: [${Array(count).fill(1).join(',')}]`;
    const wire = encodeMessage('hapi.services.tiller.GetReleaseContentResponse', {
      release: { config: { raw } },
    });
    return decodeMessage(
      'hapi.services.tiller.GetReleaseContentResponse',
      Buffer.from(writeValuesAsJson(wire)),
    ).release?.config?.raw;
  };
  assert.match(valuesOf(limits.maxNodes - 4)!, /^\{"a":\[1,/);
  assert.match(valuesOf(limits.maxNodes)!, /^a: \[1,/);
});
