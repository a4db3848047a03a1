/** `kubectl apply -k` and `kubectl delete -k` of every folder, against a server with the API groups of a version. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { kubectl, withoutKubectl } from './support/kubectl.ts';

/** Resource and kind by group and version; `!` marks those without a namespace. */
type Groups = Readonly<Record<string, Readonly<Record<string, string>>>>;

const common: Groups = {
  v1: { services: 'Service', serviceaccounts: 'ServiceAccount', secrets: 'Secret' },
  'apps/v1': { deployments: 'Deployment' },
  'autoscaling/v1': { horizontalpodautoscalers: 'HorizontalPodAutoscaler' },
  'networking.k8s.io/v1': { networkpolicies: 'NetworkPolicy' },
  'rbac.authorization.k8s.io/v1': {
    roles: 'Role',
    rolebindings: 'RoleBinding',
    clusterroles: '!ClusterRole',
  },
};
const disruptions = { poddisruptionbudgets: 'PodDisruptionBudget' };
const versions: Readonly<Record<string, Groups>> = {
  '1.18': { ...common, 'policy/v1beta1': disruptions },
  '1.30': { ...common, 'policy/v1': disruptions },
};

/** A server that keeps what is created, until it is deleted. */
async function startApiServer(t: TestContext, groups: Groups) {
  const objects = new Map<string, unknown>();
  const server = createServer(async (request, response) => {
    const [path = '', query = ''] = (request.url ?? '').split('?');
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const described = discovery(groups, path);
    if (described) return send(response, 200, described);
    if (request.method === 'POST') {
      const object = JSON.parse(Buffer.concat(chunks).toString());
      objects.set(`${path}/${object.metadata.name}`, object);
      return send(response, 201, object);
    }
    if (request.method === 'DELETE' && objects.delete(path)) return send(response, 200, status('Success'));
    if (query.includes('fieldSelector'))
      return send(response, 200, { kind: 'List', apiVersion: 'v1', items: [] });
    const object = objects.get(path);
    return object ? send(response, 200, object) : send(response, 404, status('Failure', 404));
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const folder = mkdtempSync(join(tmpdir(), 'apply-'));
  t.after(() => {
    server.closeAllConnections();
    server.close();
    rmSync(folder, { recursive: true });
  });
  const kubeconfig = join(folder, 'config');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const cluster = { name: 'c', cluster: { server: url } };
  const context = { name: 'c', context: { cluster: 'c', user: 'u' } };
  const users = [{ name: 'u', user: {} }];
  const config = { apiVersion: 'v1', kind: 'Config', 'current-context': 'c', clusters: [cluster] };
  writeFileSync(kubeconfig, JSON.stringify({ ...config, contexts: [context], users }));
  return { objects, kubeconfig };
}

function status(text: string, code = 200) {
  const reason = code === 404 ? 'NotFound' : undefined;
  return { kind: 'Status', apiVersion: 'v1', status: text, code, reason };
}

function send(response: ServerResponse, code: number, body: unknown): void {
  response.writeHead(code, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
}

/** What kubectl asks first: which groups there are, and what is in each. */
function discovery(groups: Groups, path: string): unknown {
  if (path === '/version') return { major: '1', minor: '18', gitVersion: 'v1.18.20' };
  if (path === '/api') return { kind: 'APIVersions', versions: ['v1'] };
  if (path === '/apis') {
    const names = Object.keys(groups).filter(name => name.includes('/'));
    const listed = names.map(groupVersion => {
      const [name, version] = groupVersion.split('/');
      const entry = { groupVersion, version };
      return { name, versions: [entry], preferredVersion: entry };
    });
    return { kind: 'APIGroupList', apiVersion: 'v1', groups: listed };
  }
  const groupVersion = /^\/apis?\/(.*)$/.exec(path)?.[1] ?? '';
  if (!Object.hasOwn(groups, groupVersion)) return undefined;
  const resources = Object.entries(groups[groupVersion]!).map(([name, kind]) => ({
    name,
    singularName: '',
    namespaced: !kind.startsWith('!'),
    kind: kind.replace('!', ''),
    verbs: ['create', 'delete', 'get', 'list', 'patch', 'watch'],
  }));
  return { kind: 'APIResourceList', apiVersion: 'v1', groupVersion, resources };
}

describe('apply and delete', { skip: withoutKubectl }, () => {
  const overlays = readdirSync('manifests/overlays').map(name => `manifests/overlays/${name}`);
  for (const folder of ['manifests/base', 'manifests/hub-member', ...overlays]) {
    const version = folder.endsWith('1.18') ? '1.18' : '1.30';
    test(`${folder} on ${version}: nothing is left`, async t => {
      const { objects, kubeconfig } = await startApiServer(t, versions[version]!);
      await kubectl(['apply', '--validate=false', '-k', folder], kubeconfig);
      assert.ok(objects.size >= 5);
      await kubectl(['delete', '-k', folder], kubeconfig);
      assert.deepEqual([...objects.keys()], []);
    });
  }

  test('the base is not for 1.18', async t => {
    const { kubeconfig } = await startApiServer(t, versions['1.18']!);
    const applied = kubectl(['apply', '--validate=false', '-k', 'manifests/base'], kubeconfig);
    await assert.rejects(applied, /PodDisruptionBudget/);
  });
});
