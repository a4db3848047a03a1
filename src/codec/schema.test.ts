import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { type Field, isReadOnly, messageType, service } from './schema.ts';

interface Contract {
  services: Record<
    string,
    {
      name: string;
      request: string;
      response: string;
      serverStreaming?: boolean;
      http?: Record<string, string>;
    }[]
  >;
  messages: Record<string, { number: number; name: string; type: string; repeated?: boolean }[]>;
  enums: Record<string, Record<string, number>>;
}

const contract: Contract = JSON.parse(readFileSync('test/conformance/wire-contract.json', 'utf8'));

/** What this gateway adds to swift's own messages; everything else has to equal the table. */
const isSwift = (name: string) => name.startsWith('appscode.swift.v2.');

function typeName(field: Field): string {
  const name = typeof field.type === 'string' ? field.type : field.type.name;
  return field.map ? `map<string,${name}>` : name;
}

for (const [name, fields] of Object.entries(contract.messages)) {
  test(`${name} equals the contract table`, () => {
    const type = messageType(name);
    for (const wanted of fields) {
      const field = type.byNumber.get(wanted.number);
      assert.ok(field, `field ${wanted.number} is there`);
      assert.deepEqual(
        { name: field.name, type: typeName(field), repeated: field.repeated },
        { name: wanted.name, type: wanted.type, repeated: wanted.repeated === true },
      );
    }
    const last = Math.max(0, ...fields.map(field => field.number));
    for (const field of type.fields.filter(field => !fields.some(wanted => wanted.number === field.number))) {
      assert.ok(
        isSwift(name) && field.number > last,
        `${field.name} = ${field.number} is an addition above swift's numbers`,
      );
    }
  });
}

for (const [name, methods] of Object.entries(contract.services)) {
  test(`${name} has the contract's methods and routes`, () => {
    const loaded = service(name);
    for (const wanted of methods) {
      const method = loaded.methods.find(found => found.name === wanted.name);
      assert.ok(method, wanted.name);
      assert.equal(method.request.name, wanted.request);
      assert.equal(method.response.name, wanted.response);
      assert.equal(method.serverStreaming, wanted.serverStreaming === true);
      if (!wanted.http) continue;
      const { body, ...routes } = wanted.http;
      const [verb, path] = Object.entries(routes)[0] ?? [];
      assert.deepEqual(method.bindings[0], { verb: verb?.toUpperCase(), path, body: body === '*' });
    }
    if (!isSwift(name)) assert.equal(loaded.methods.length, methods.length);
  });
}

test('the enums equal the contract table, but for sorting by chart name', () => {
  const loaded = new Map<string, Record<string, number>>();
  const visit = (name: string, seen = new Set<string>()) => {
    if (seen.has(name)) return;
    seen.add(name);
    for (const field of messageType(name).fields) {
      if (typeof field.type === 'string') continue;
      if (field.type.kind === 'enum') loaded.set(field.type.name, Object.fromEntries(field.type.numbers));
      else visit(field.type.name, seen);
    }
  };
  for (const name of Object.keys(contract.messages)) visit(name);
  for (const [name, values] of Object.entries(contract.enums)) {
    if (name === 'hapi.chart.Metadata.Engine') continue; // no field has this type
    const added = name === 'appscode.swift.v2.ListSort.SortBy' ? { CHART_NAME: 3 } : {};
    assert.deepEqual(loaded.get(name), { ...values, ...added }, name);
  }
});

test('both spellings of a field name lead to it', () => {
  const type = messageType('appscode.swift.v2.InstallReleaseRequest');
  assert.equal(type.byName.get('chart_url'), type.byName.get('chartUrl'));
  assert.equal(type.byName.get('chart_url')?.number, 10);
  assert.equal(messageType('hapi.chart.Metadata').byName.get('appVersion')?.number, 13);
});

test('comments of the .proto file are kept: the OpenAPI document is made of them', () => {
  assert.match(messageType('appscode.swift.v2.GetHistoryRequest').fields[1]?.comment ?? '', /0 is 256/);
});

test('the contract says which methods change nothing', () => {
  const reads = (name: string) =>
    service(name)
      .methods.filter(isReadOnly)
      .map(method => method.name)
      .sort();
  const shared = ['GetHistory', 'GetReleaseContent', 'GetReleaseStatus', 'GetVersion'];
  assert.deepEqual(reads('hapi.services.tiller.ReleaseService'), [...shared, 'ListReleases']);
  assert.deepEqual(reads('appscode.swift.v2.ReleaseService'), [
    'DiffRelease',
    'DiffRevisions',
    'GetEnvironment',
    'GetHistory',
    'GetReleaseContent',
    'GetReleaseHooks',
    'GetReleaseManifest',
    'GetReleaseNotes',
    'GetReleaseStatus',
    'GetReleaseValues',
    'GetVersion',
    'SearchCharts',
    'SummarizeReleases',
    'WatchReleases',
  ]);
  assert.deepEqual(reads('appscode.swift.v2.ChartService'), [
    'GetChart',
    'GetChartIcon',
    'ListChartVersions',
    'ListRepositories',
    'ListUploads',
  ]);
});
