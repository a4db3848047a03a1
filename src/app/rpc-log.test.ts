import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { test } from 'node:test';
import { encodeMessage } from '../codec/index.ts';
import { createLogger } from '../observe/index.ts';
import { Code, GatewayError } from '../protocol/index.ts';
import { createRpcTap } from './rpc-log.ts';

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
