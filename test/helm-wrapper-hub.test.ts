/** helm-wrapper's routes on a hub: which cluster a request is for, and that a cluster's own gateway is asked by methods. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Validator } from '@seriousme/openapi-schema-validator';
import type { FinishedRequest } from '../src/http/index.ts';
import { type SandboxKubernetes, startSandboxTiller } from '../src/sandbox/index.ts';
import { sharedCertificate } from './support/certificates.ts';
import { startTestGateway } from './support/gateway.ts';
import { type Cell, failed, ok, send, testCells } from './support/helm-wrapper-cells.ts';
import { createFolder, type HubStage, startCluster, startHub } from './support/hub-stage.ts';
import { conformanceFolder } from './support/recording.ts';

const closes: (() => unknown)[] = [];
const owner = { after: (close: () => unknown) => void closes.unshift(close) } as Parameters<
  typeof startHub
>[0];
/** What the gateway of the cluster `proxy` was asked. */
const asked: string[] = [];
let hub: HubStage;
let tunnel: SandboxKubernetes;

before(async () => {
  const folder = createFolder(owner);
  const tillers = [await startSandboxTiller(), await startSandboxTiller()] as const;
  for (const tiller of tillers) owner.after(() => tiller.stop());
  const [first, second] = tillers.map(({ address }) => Number(address.split(':')[1]));
  tunnel = await startCluster(owner, first!, { gatewayService: false });
  await tunnel.writeKubeconfig(`${folder.folder}/tunnel`);
  const proxy = await startCluster(owner, second!, { gatewayService: true });
  await proxy.writeKubeconfig(`${folder.folder}/proxy`);
  const finished = ({ verb, path }: FinishedRequest) => void asked.push(`${verb} ${path}`);
  const member = await startTestGateway(tillers[1].address, { http: { events: { finished } } });
  owner.after(() => member[Symbol.asyncDispose]());
  proxy.setGateway({ host: '127.0.0.1', port: Number(new URL(member.url).port) });
  const clusters = '- {name: tunnel, kubeconfig: tunnel}\n- {name: proxy, kubeconfig: proxy}\n';
  hub = await startHub(owner, folder, `clusters:\n${clusters}`, [
    '--dialects=helm-wrapper',
    '--default-cluster=tunnel',
    `--chart-dir=${conformanceFolder}/charts`,
    '--allow-adhoc-clusters=127.0.0.1',
    `--adhoc-ca-file=${folder.write('ca.pem', (await sharedCertificate()).caPem)}`,
  ]);
});
after(async () => {
  for (const close of closes) await close();
});

const releases = '/api/namespaces/default/releases';
const hello = 'chart=hello-0.1.0.tgz';
const named = (name: string) => ok([{ ...element, name }]);
const element = {
  namespace: 'default',
  revision: '1',
  updated: 'TIME',
  status: 'deployed',
  chart: 'hello',
  chart_version: '0.1.0',
  app_version: '1.0',
};
const unknown = failed('no cluster "nope"; known: tunnel, proxy');

type Row = readonly [name: string, verb: string, path: string, answer: unknown, more?: Partial<Cell>];
const cells = (rows: readonly Row[]): Cell[] =>
  rows.map(([name, verb, path, answer, more]) => ({ name, verb, path, answer, ...more }));

describe('the cluster is named', () => {
  testCells(
    () => hub.url,
    cells([
      ['by the path', 'POST', `/clusters/proxy${releases}/far?${hello}`, ok()],
      ['not at all', 'POST', `${releases}/near?${hello}`, ok()],
      ['by the path', 'GET', `/clusters/tunnel${releases}`, named('near')],
      ['by the path, a body', 'GET', `/clusters/proxy${releases}`, named('far'), { body: { filter: 'far' } }],
      ['by the path, a body', 'GET', `/clusters/proxy${releases}`, ok([]), { body: { filter: 'near' } }],
      ['by kube_context', 'GET', `${releases}?kube_context=proxy`, named('far')],
      ['by an empty kube_context', 'GET', `${releases}?kube_context=`, named('near')],
      ['by x-cluster', 'GET', releases, named('far'), { headers: { 'x-cluster': 'proxy' } }],
      ['by kube_config', 'GET', `${releases}?kube_config=FOLDER/proxy`, named('far')],
      ['by both', 'GET', `${releases}?kube_config=FOLDER/proxy&kube_context=proxy`, named('far')],
      ['by an empty kube_config', 'GET', `${releases}?kube_config=`, named('near')],
      [
        'by another kubeconfig',
        'GET',
        `${releases}?kube_config=/etc/passwd`,
        failed(`kube_config: this is no kubeconfig of this gateway's clusters`),
      ],
      [
        'by a context of another',
        'GET',
        `${releases}?kube_config=FOLDER/proxy&kube_context=tunnel`,
        failed('kube_config: the kubeconfig has no such context'),
      ],
      ['wrongly', 'GET', `${releases}?kube_context=nope`, unknown],
      ['wrongly', 'DELETE', `/clusters/nope${releases}/near`, unknown],
      [
        'by an API server',
        'GET',
        releases,
        named('near'),
        { headers: { 'x-kubeapiserver': 'SERVER', 'x-kubetoken': 'TOKEN' } },
      ],
      [
        'by one that is not allowed',
        'GET',
        releases,
        failed('--allow-adhoc-clusters does not allow the API server api.example.com'),
        { headers: { 'x-kubeapiserver': 'https://api.example.com', 'x-kubetoken': 'TOKEN' } },
      ],
      [
        'twice',
        'GET',
        `/clusters/proxy${releases}?kube_context=tunnel`,
        {
          code: 3,
          message: 'name one cluster: in the path, by kube_context, by x-cluster, or by X-KubeApiServer',
          reason: 'INVALID_REQUEST',
        },
        { status: 400 },
      ],
      [
        'status',
        'GET',
        `/clusters/proxy${releases}/far/status`,
        ok({ ...element, name: 'far', notes: 'hello, world! Release far lives in default.\n' }),
      ],
      [
        'upgrade',
        'PUT',
        `/clusters/proxy${releases}/far?${hello}`,
        ok(),
        { body: { set: ['greeting=salut'] } },
      ],
      ['values', 'GET', `/clusters/proxy${releases}/far`, ok({ greeting: 'salut' })],
      ['rollback', 'PUT', `/clusters/proxy${releases}/far/versions/1`, ok()],
      ['no revision', 'PUT', `/clusters/proxy${releases}/far/versions/9`, failed('release has no 9 version')],
      [
        'name taken',
        'POST',
        `/clusters/proxy${releases}/far?${hello}`,
        failed('cannot re-use a name that is still in use'),
      ],
      ['uninstall', 'DELETE', `/clusters/proxy${releases}/far`, ok()],
      [
        'no release',
        'DELETE',
        `/clusters/proxy${releases}/far`,
        failed('uninstall: Release not loaded: far: release: not found'),
      ],
      ['the gateway’s own', 'GET', '/clusters/proxy/api/repositories', ok([])],
    ]),
    () => tunnel.url,
    text => text.replaceAll('FOLDER', hub.folder).replaceAll('TOKEN', tunnel.token),
  );

  test('the other gateway was asked by the methods of the contract alone', () => {
    assert.ok(asked.length > 10);
    for (const request of asked) assert.match(request, /^(?:GET|POST|PUT|DELETE) \/tiller\/v2\//);
  });
});

test('the OpenAPI document has its routes for each cluster, and is valid', async () => {
  const { answer } = await send(hub.url, { name: '', verb: 'GET', path: '/openapi.json', answer: '' });
  const operations = Object.entries(answer.paths as Record<string, Record<string, { tags: string[] }>>)
    .flatMap(([path, verbs]) => Object.entries(verbs).map(([verb, { tags }]) => ({ path, verb, tags })))
    .filter(({ tags }) => tags.includes('helm-wrapper'));
  assert.equal(operations.length, 18);
  assert.equal(answer.paths[releases.replace('default', '{namespace}')].get.servers.length, 2);
  for (const path of ['/clusters', '/', '/healthz', '/metrics']) assert.ok(answer.paths[path], path);
  const { valid, errors } = await new Validator().validate(structuredClone(answer));
  assert.ok(valid, JSON.stringify(errors));
});
