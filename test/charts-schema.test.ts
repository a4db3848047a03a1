/** values.schema.json of charts and the charts in them, by each of the doors that a chart comes in, before Tiller is asked. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { startSandboxTiller } from '../src/sandbox/index.ts';
import { makeChart } from './charts/make-archive.ts';
import { startTestGateway, type TestGateway } from './support/gateway.ts';

const template =
  'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}\ndata:\n  a: {{ .Values.replicas | quote }}\n';
const schema = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  type: 'object',
  required: ['replicas'],
  properties: { replicas: { type: 'integer', minimum: 1 }, mode: { enum: ['a', 'b'] } },
};
const head = "values don't meet the specifications of the schema(s) in the following chart(s):";

const cleanups: (() => unknown)[] = [];
let gateway: TestGateway;

before(async () => {
  const tiller = await startSandboxTiller();
  cleanups.push(() => tiller.stop());
  gateway = await startTestGateway(tiller.address);
  cleanups.push(() => gateway[Symbol.asyncDispose]());
});
after(async () => {
  for (const cleanup of cleanups.reverse()) await cleanup();
});

type Files = Readonly<Record<string, string>>;

function archiveOf(files: Files, values = 'replicas: 1\n'): string {
  const own = {
    'Chart.yaml': 'name: web\nversion: 1.0.0\n',
    'values.yaml': values,
    'templates/map.yaml': template,
  };
  return makeChart({ ...own, ...files }, 'web').toString('base64');
}

const web = (own: object = schema) => archiveOf({ 'values.schema.json': JSON.stringify(own) });

async function call(verb: string, name: string, body: object) {
  const response = await fetch(`${gateway.url}/tiller/v2/releases/${name}/json`, {
    method: verb,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  // biome-ignore lint/suspicious/noExplicitAny: JSON of many shapes
  const answer = (await response.json()) as any;
  return { status: response.status, body: answer, message: String(answer.message ?? '') };
}

async function refuses(answer: ReturnType<typeof call>, ...lines: string[]): Promise<void> {
  const { status, body } = await answer;
  assert.deepEqual([status, body.code, body.reason], [400, 3, 'CHART_INVALID'], JSON.stringify(body));
  assert.deepEqual(body.message.split('\n'), [head, ...lines]);
}

async function isGone(name: string): Promise<void> {
  const { status } = await fetch(`${gateway.url}/tiller/v2/releases/${name}/status/json`);
  assert.equal(status, 404);
}

test('an install whose values do not fit is refused before Tiller has it, by whatever the values came', async () => {
  const line = '- replicas: Must be greater than or equal to 1';
  const chart_archive = web();
  for (const values of [
    { values: { raw: 'replicas: 0\n' } },
    { values_json: { replicas: 0 } },
    { set: ['replicas=0'] },
  ])
    await refuses(call('POST', 'bad', { chart_archive, ...values }), 'web:', line);
  await refuses(
    call('POST', 'bad', { chart_archive, set_string: ['replicas=3'], set: ['mode=c'] }),
    'web:',
    '- replicas: Invalid type. Expected: integer, given: string',
    '- mode: mode must be one of the following: "a", "b"',
  );
  await refuses(
    call('POST', 'bad', { chart_archive, values_json: { replicas: null } }),
    'web:',
    '- (root): replicas is required',
  );
  await isGone('bad');
  const { status } = await call('POST', 'good', { chart_archive, set: ['replicas=2', 'other.key=x'] });
  assert.equal(status, 200);
});

test('a schema that cannot be used, and a reference that is not followed, are refused by name', async () => {
  const remote = await call('POST', 'bad', { chart_archive: web({ $ref: 'https://example.com/s.json' }) });
  assert.deepEqual([remote.status, remote.body.reason], [400, 'CHART_INVALID']);
  assert.match(
    remote.message,
    /values.schema.json of chart web .* refers to "https:\/\/example.com\/s.json"/,
  );
  const broken = await call('POST', 'bad', { chart_archive: archiveOf({ 'values.schema.json': '{' }) });
  assert.match(broken.message, /values.schema.json of chart web cannot be used: it is not JSON/);
  await isGone('bad');
});

describe('charts in the chart', () => {
  const child = { required: ['size'], properties: { size: { type: 'integer' } } };
  const requirements = `dependencies:
- {name: store, version: 1.0.0, repository: "", condition: store.enabled}
- {name: store, version: 1.0.0, repository: "", alias: other, condition: other.enabled}
`;
  const chart_archive = archiveOf(
    {
      'requirements.yaml': requirements,
      'charts/store/Chart.yaml': 'name: store\nversion: 1.0.0\n',
      'charts/store/values.yaml': 'size: 1\n',
      'charts/store/values.schema.json': JSON.stringify(child),
      'values.schema.json': JSON.stringify(schema),
    },
    'replicas: 1\nother: {enabled: false}\n',
  );

  test('have their part of the values checked, under their alias, if they are enabled', async () => {
    const wrong = '- size: Invalid type. Expected: integer, given: string';
    await refuses(
      call('POST', 'bad', { chart_archive, set: ['store.size=x', 'other.size=y'] }),
      'store:',
      wrong,
    );
    const both = ['store.size=x', 'other.size=y', 'other.enabled=true'];
    await refuses(call('POST', 'bad', { chart_archive, set: both }), 'store:', wrong, 'other:', wrong);
    const off = ['store.enabled=false', 'store.size=x'];
    assert.equal((await call('POST', 'nested', { chart_archive, set: off })).status, 200);
    await refuses(
      call('POST', 'bad', { chart_archive, set: ['replicas=0', 'store.size=x'] }),
      'web:',
      '- replicas: Must be greater than or equal to 1',
      'store:',
      wrong,
    );
  });

  test('are checked in a chart of the request itself as well', async () => {
    const inline = (values: string) => ({
      metadata: { name: 'web', version: '1.0.0' },
      templates: [{ name: 'templates/map.yaml', data: Buffer.from(template).toString('base64') }],
      values: { raw: values },
      files: [
        { type_url: 'values.schema.json', value: Buffer.from(JSON.stringify(schema)).toString('base64') },
      ],
      dependencies: [
        {
          metadata: { name: 'store', version: '1.0.0' },
          values: { raw: 'size: x\n' },
          files: [
            { type_url: 'values.schema.json', value: Buffer.from(JSON.stringify(child)).toString('base64') },
          ],
        },
      ],
    });
    const wrong = ['store:', '- size: Invalid type. Expected: integer, given: string'];
    await refuses(call('POST', 'bad', { chart: inline('replicas: 1\n') }), ...wrong);
    await refuses(
      call('POST', 'bad', { chart: inline('{}\n') }),
      'web:',
      '- (root): replicas is required',
      ...wrong,
    );
    const fits = { chart: inline('replicas: 1\n'), values_json: { store: { size: 3 } } };
    assert.equal((await call('POST', 'inline', fits)).status, 200);
  });
});

test('an upgrade is checked with the values of the release that Tiller is going to use', async () => {
  const chart_archive = web();
  assert.equal(
    (await call('POST', 'life', { chart_archive, values: { raw: 'replicas: 5\nmode: b\n' } })).status,
    200,
  );
  const strict = web({ ...schema, properties: { ...schema.properties, mode: { const: 'a' } } });
  const wrong = ['web:', '- mode: mode does not match: "a"'];
  // none given: Tiller keeps the old ones; some given: those alone; both: merged
  await refuses(call('PUT', 'life', { chart_archive: strict }), ...wrong);
  await refuses(
    call('PUT', 'life', { chart_archive: strict, reuse_values: true, set: ['replicas=2'] }),
    ...wrong,
  );
  await refuses(
    call('PUT', 'life', { chart_archive: strict, reuse_values: true, set: ['replicas=0'] }),
    'web:',
    '- replicas: Must be greater than or equal to 1',
    '- mode: mode does not match: "a"',
  );
  for (const body of [
    { set: ['replicas=2'] },
    { reuse_values: true, set: ['mode=a'] },
    { reset_values: true },
    {},
  ]) {
    const { status, message } = await call('PUT', 'life', { chart_archive: strict, ...body });
    assert.equal(status, 200, `${JSON.stringify(body)}: ${message}`);
  }
  assert.notEqual(
    (await call('PUT', 'nope', { chart_archive: strict, reuse_values: true, values: {} })).status,
    200,
  );
});

test('the chart that is sent still has its schema', async () => {
  const { body } = await call('POST', 'kept', { chart_archive: web() });
  const [file] = body.release.chart.files;
  assert.equal(file.type_url, 'values.schema.json');
});
