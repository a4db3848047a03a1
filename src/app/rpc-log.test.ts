import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { test } from 'node:test';
import type { Backend } from '../backends/index.ts';
import { encodeMessage, service } from '../codec/index.ts';
import { createLogger } from '../observe/index.ts';
import { type CallContext, Code, GatewayError } from '../protocol/index.ts';
import { createRpcTap, withRpcLog } from './rpc-log.ts';

test('messages that are passed through are logged like others: readable, with what is secret masked', async () => {
  const lines: string[] = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      lines.push(String(chunk));
      done();
    },
  });
  const tap = createRpcTap(createLogger({ level: 'info', format: 'json', stream }));
  const path = '/hapi.services.tiller.ReleaseService/InstallRelease';
  const request = { name: 'alpha', values: { raw: 'password: hunter2' } };
  tap.request(path, encodeMessage('hapi.services.tiller.InstallReleaseRequest', request));
  tap.reply(path, Buffer.from([0xff]));
  tap.failed(path, new GatewayError(Code.UNKNOWN, 'release alpha failed\nkind: Secret'));
  tap.request('/no.such/Method', Buffer.from('x'));
  await new Promise(setImmediate);
  const logged = lines.map(line => JSON.parse(line));
  assert.deepEqual(
    logged.map(({ message, rpc }) => [message, rpc]),
    [
      ['rpc InstallRelease request', 'InstallRelease'],
      ['rpc InstallRelease reply', 'InstallRelease'],
      ['rpc InstallRelease failed', 'InstallRelease'],
    ],
  );
  assert.equal(logged[0].request.name, 'alpha');
  assert.doesNotMatch(lines.join(''), /hunter2/);
  assert.equal(logged[2].error, 'release alpha failed');
});

test('credentials of a chart repository that is added stay out', async () => {
  const lines: string[] = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      lines.push(String(chunk));
      done();
    },
  });
  const contract = service('appscode.swift.v2.ChartService').methods.find(
    ({ name }) => name === 'AddRepository',
  )!;
  const reply = encodeMessage('appscode.swift.v2.AddRepositoryResponse', {});
  const call = async (_backend: unknown, _request: Uint8Array) => reply;
  const log = createLogger({ level: 'info', format: 'json', stream });
  const nothing = { names: [], receiveUpload: () => Promise.reject(new Error('no upload')) };
  const [method] = withRpcLog({ ...nothing, methods: [{ contract, kind: 'unary', call }] }, log).methods;
  assert.ok(method?.kind === 'unary');
  const pem = Buffer.from('s3cret');
  const request = encodeMessage('appscode.swift.v2.AddRepositoryRequest', {
    ...{ name: 'team', url: 'https://u:s3cret@charts.example/?sig=s3cret', username: 's3cret' },
    ...{ password: 's3cret', token: 's3cret', ca_bundle: pem, client_certificate: pem, client_key: pem },
  });
  await method.call({} as Backend, request, {} as CallContext);
  await new Promise(setImmediate);
  assert.equal(lines.length, 2);
  assert.match(lines[0]!, /"name":"team"/);
  assert.doesNotMatch(lines.join(''), new RegExp(`s3cret|${pem.toString('base64')}`));
});

test('an upload that is written as it arrives is logged without its archive', async () => {
  const lines: string[] = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      lines.push(String(chunk));
      done();
    },
  });
  const { methods } = service('appscode.swift.v2.ChartService');
  const contract = methods.find(({ name }) => name === 'UploadChart')!;
  const reply = encodeMessage('appscode.swift.v2.UploadChartResponse', { replaced: true });
  const keep = async () => reply;
  const plain = {
    names: [],
    methods: [{ contract, kind: 'unary' as const, call: keep }],
    receiveUpload: async () => ({ keep, discard: async () => {} }),
  };
  const { receiveUpload } = withRpcLog(plain, createLogger({ level: 'info', format: 'json', stream }));
  const received = await receiveUpload([] as unknown as AsyncIterable<Buffer>, {} as CallContext);
  const request = encodeMessage('appscode.swift.v2.UploadChartRequest', { force: true });
  assert.equal(await received.keep(request), reply);
  await new Promise(setImmediate);
  const logged = lines.map(line => JSON.parse(line));
  assert.deepEqual(
    logged.map(({ message, request: asked, reply: told }) => [message, asked, told]),
    [
      ['rpc UploadChart request', { force: true }, undefined],
      ['rpc UploadChart reply', undefined, { replaced: true }],
    ],
  );
});
