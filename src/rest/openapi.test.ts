import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { createTestCharts } from '../../test/support/test-charts.ts';
import { createPages } from '../app/fronts.ts';
import type { Registry } from '../clusters/index.ts';
import { jsonToWire, service } from '../codec/index.ts';
import { helpText } from '../config/index.ts';
import { Router, type Verb } from '../http/index.ts';
import type { Health, Metrics } from '../observe/index.ts';
import { reasons } from '../protocol/index.ts';
import { createReleaseService } from '../releases/index.ts';
import { createRestRoutes } from './index.ts';
import { createOpenApi } from './openapi.ts';
import { createReleaseRoutes } from './release-routes.ts';

interface MediaType {
  readonly schema: object;
  readonly example?: unknown;
}
interface Operation {
  readonly operationId: string;
  readonly parameters: readonly { name?: string; in?: string; schema?: object; $ref?: string }[];
  readonly requestBody?: { readonly content: Record<string, MediaType> };
  readonly responses: Record<string, { readonly content?: Record<string, MediaType> }>;
}
interface Document {
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: { readonly schemas: Record<string, object>; readonly parameters: object };
}

const releaseService = createReleaseService(createTestCharts());
const options = { service: releaseService, maxBodyBytes: 1, disableGetRollback: false };
const releases = createReleaseRoutes(options);
const routes = createRestRoutes({
  ...options,
  version: '1.2.3',
  pages: createPages({} as Health, {} as Metrics),
  clusters: {
    registry: {} as Registry,
    problem: () => ({}),
    timeoutMs: 1,
    heartbeatMs: 1,
    stopping: new AbortController().signal,
  },
});
const others = routes.filter(route => !releases.some(({ template }) => template === route.template));
const document: Document = JSON.parse(createOpenApi(releases, others, '1.2.3').toString());
const operations = Object.entries(document.paths).flatMap(([path, verbs]) =>
  Object.entries(verbs).map(([verb, operation]) => ({ path, verb, operation })),
);

/** The document's schemas with nothing let through that they do not name. */
const closed = Object.fromEntries(
  Object.entries(document.components.schemas).map(([name, schema]) => [
    name,
    'properties' in schema ? { ...schema, additionalProperties: false } : schema,
  ]),
);

const ajv = new Ajv2020({ strict: true, allErrors: true, allowUnionTypes: true });
addFormats.default(ajv);
for (const format of ['int32', 'uint32', 'int64', 'double']) ajv.addFormat(format, true);
ajv.addVocabulary(['components']);
ajv.addSchema({ components: { schemas: closed } }, 'document');

/** Many operations share a schema, which takes long to compile. */
const compiled = new Map<string, ValidateFunction>();

/** Compiles a schema of the document, with the document's components in reach of its references. */
function compile(schema: object): ValidateFunction {
  const text = JSON.stringify(schema).replaceAll('"#/', '"document#/');
  const validate = compiled.get(text) ?? ajv.compile(JSON.parse(text));
  compiled.set(text, validate);
  return validate;
}

function check(schema: object, value: unknown, what: string): void {
  const validate = compile(schema);
  assert.ok(validate(value), `${what}: ${JSON.stringify(validate.errors)}`);
}

describe('the OpenAPI document', () => {
  let result: Awaited<ReturnType<Validator['validate']>>;
  before(async () => {
    const validator = new Validator();
    result = await validator.validate(structuredClone(document) as unknown as Record<string, unknown>);
    assert.equal(validator.version, '3.1');
  });

  test('is valid OpenAPI 3.1, and every reference in it leads somewhere', () => {
    assert.deepEqual(result.errors, undefined);
    assert.equal(result.valid, true);
    const text = JSON.stringify(document);
    for (const [, kind, name] of text.matchAll(/"#\/components\/(\w+)\/([\w.]+)"/g)) {
      const known = document.components[kind as keyof Document['components']] as Record<string, object>;
      assert.ok(known[String(name)], `${kind}/${name}`);
    }
  });

  test('has every route, and no other', () => {
    const said = operations.map(({ path, verb }) => `${verb.toUpperCase()} ${path}`).sort();
    const served = routes.flatMap(({ verbs, template }) => verbs.map(verb => `${verb} ${template}`)).sort();
    assert.deepEqual(said, served);
    const router = new Router(routes);
    for (const { path, verb } of operations)
      assert.ok(router.match(path.replace(/\{\w+\}/g, 'x'))?.routes.has(verb.toUpperCase() as Verb), path);
  });

  test('names only flags that exist', () => {
    // of the Helm client, which the contract compares itself with
    const helmFlags = ['--set', '--set-string', '--verify'];
    const flags = new Set([...helmFlags, ...(helpText().match(/--[a-z][a-z-]+/g) ?? [])]);
    const named = JSON.stringify(document).match(/--[a-z][a-z-]+/g) ?? [];
    assert.ok(named.length > 0);
    for (const flag of named) assert.ok(flags.has(flag), flag);
  });

  test('lists the reasons of errors', () => {
    const { properties } = document.components.schemas.Error as {
      properties: { reason: { enum: string[] } };
    };
    assert.deepEqual(properties.reason.enum, Object.keys(reasons));
  });

  test('names each operation once, and each field of a path', () => {
    const names = operations.map(({ operation }) => operation.operationId);
    assert.equal(new Set(names).size, names.length);
    for (const { path, operation } of operations) {
      const wanted = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      const said = operation.parameters.filter(parameter => parameter.in === 'path');
      assert.deepEqual(
        said.map(({ name }) => name),
        wanted,
      );
    }
  });

  test('says of every field that the query binds where it binds it', () => {
    for (const { binding, contract } of releases.filter(route => !route.binding.body)) {
      const operation = document.paths[binding.path]?.[binding.verb.toLowerCase()];
      const said = new Set(operation?.parameters.map(({ name }) => name));
      for (const field of contract.request.fields) {
        if (typeof field.type !== 'object' || field.type.kind !== 'message')
          assert.ok(said.has(field.name), `${contract.name}: ${field.name}`);
      }
    }
  });
});

describe('its examples', () => {
  for (const { path, verb, operation } of operations) {
    test(`${verb.toUpperCase()} ${path}`, () => {
      let checked = 0;
      const bodies = [operation.requestBody, ...Object.values(operation.responses)];
      for (const [index, body] of bodies.entries()) {
        for (const [type, { schema, example }] of Object.entries(body?.content ?? {})) {
          if (type === 'multipart/form-data') continue;
          assert.notEqual(example, undefined, `${type} of ${index} has an example`);
          check(schema, example, `${type} of ${index}`);
          checked++;
        }
      }
      assert.ok(checked >= Object.keys(operation.responses).length, 'every response has one');
    });
  }

  test('requests are read by the codec, and hold nothing that it would skip', () => {
    for (const { contract } of releaseService.methods) {
      const [binding] = contract.bindings;
      const operation = document.paths[binding?.path ?? '']?.[binding?.verb.toLowerCase() ?? ''];
      const example = operation?.requestBody?.content['application/json']?.example as object | undefined;
      if (example === undefined) continue;
      for (const name of Object.keys(example)) assert.ok(contract.request.byName.has(name), name);
      assert.ok(jsonToWire(contract.request, Buffer.from(JSON.stringify(example))).length >= 0);
    }
  });

  test('a wrong value is told apart: the schemas do not let everything pass', () => {
    const install = service('appscode.swift.v2.ReleaseService').methods.find(
      ({ name }) => name === 'InstallRelease',
    );
    const schema = { $ref: `#/components/schemas/${install?.request.name}` };
    assert.equal(compile(schema)({ wait: 'yes' }), false);
    assert.equal(compile(schema)({ timeout: [] }), false);
    assert.equal(compile(schema)({ chart_ulr: 'x' }), false);
    assert.equal(compile(schema)({ chart: { templates: {} } }), false);
    assert.equal(compile(schema)({ timeout: '300' }), true);
    assert.equal(compile(schema)({ timeout: 300 }), true);
  });
});
