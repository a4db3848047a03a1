/** The 91 recorded reads of a real Tiller (test/conformance/records), answered from its records. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { RecordObject, RecordResource } from '../src/backends/records/decode-record.ts';
import { decodeRecord } from '../src/backends/records/decode-record.ts';
import { RecordReader } from '../src/backends/records/read-records.ts';
import { idOf, RecordStore } from '../src/backends/records/record-store.ts';
import type { MessageTypes } from '../src/codec/messages.gen.ts';
import { decodeMessage } from '../src/codec/schema.ts';
import { GatewayError } from '../src/protocol/index.ts';
import { conformanceFolder, readLines } from './support/recording.ts';

interface RecordedRead {
  readonly id: string;
  readonly method: 'ListReleases' | 'GetHistory' | 'GetReleaseContent';
  readonly request: string;
  readonly status: number;
  readonly message: string;
  readonly responses: readonly string[];
}

const reads = readLines('records/reads.jsonl') as RecordedRead[];
const context = { signal: new AbortController().signal, deadline: undefined };

async function readerOf(file: string, resource: RecordResource): Promise<RecordReader> {
  const { items } = JSON.parse(readFileSync(join(conformanceFolder, file), 'utf8')) as {
    items: RecordObject[];
  };
  const store = new RecordStore();
  const whole = new Map<string, Uint8Array>();
  for (const item of items) {
    const decoded = await decodeRecord(
      item,
      { resource, storage: 'helm2', watch: resource },
      new AbortController().signal,
    );
    store.put(decoded.revision);
    whole.set(idOf(decoded.revision), decoded.whole);
  }
  return new RecordReader(store, async revisions => revisions.map(revision => whole.get(idOf(revision))));
}

async function answer(reader: RecordReader, { method, request }: RecordedRead) {
  const bytes = Buffer.from(request, 'base64');
  try {
    const responses =
      method === 'ListReleases'
        ? await all(reader.list(bytes, context, { whole: true }))
        : [await reader.unary(method, bytes, context)];
    return { status: 0, message: '', responses };
  } catch (error) {
    const { code, message } = GatewayError.from(error);
    return { status: code, message, responses: [] };
  }
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

function decoded(
  method: RecordedRead['method'],
  responses: readonly Uint8Array[],
  timeless: boolean,
): unknown {
  const type = `hapi.services.tiller.${method}Response` as keyof MessageTypes;
  const messages = responses.map(bytes => decodeMessage(type, bytes));
  if (!timeless) return messages;
  return JSON.parse(
    JSON.stringify(messages, (key, value) => (/deployed|deleted|last_run/.test(key) ? undefined : value)),
  );
}

for (const [file, resource] of [
  ['records/configmaps.json', 'configmaps'],
  ['records/secrets.json', 'secrets'],
] as const) {
  test(`91 reads from ${file} equal Tiller's`, async () => {
    assert.equal(reads.length, 91);
    const reader = await readerOf(file, resource);
    const timeless = resource === 'secrets';
    for (const read of reads) {
      const { status, message, responses } = await answer(reader, read);
      const expected = read.responses.map(text => Buffer.from(text, 'base64'));
      assert.deepEqual({ status, message }, { status: read.status, message: read.message }, read.id);
      assert.deepEqual(
        decoded(read.method, responses, timeless),
        decoded(read.method, expected, timeless),
        read.id,
      );
    }
  });
}
