import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { BlockList } from 'node:net';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { after, describe, test } from 'node:test';
import type {
  V1ClusterRole,
  V1Container,
  V1Deployment,
  V1NetworkPolicy,
  V1NetworkPolicyPeer,
  V1RoleBinding,
  V1Service,
} from '@kubernetes/client-node';
import { loadAll } from 'js-yaml';
import { allOptions, environmentName } from '../src/config/index.ts';
import { schemaFaults } from './support/kube-schema.ts';
import { kubectl, withoutComponents, withoutKubectl } from './support/kubectl.ts';

type KubeObject = { apiVersion: string; kind: string; metadata: { name: string; namespace?: string } };

const built = new Map<string, Promise<string>>();

/** What kustomize makes of a folder; each is built once. */
async function build(folder: string): Promise<KubeObject[]> {
  const output = built.get(folder) ?? kubectl(['kustomize', folder]);
  built.set(folder, output);
  return loadAll(await output) as KubeObject[];
}

function only<T>(objects: readonly KubeObject[], kind: string): T {
  const ofKind = objects.filter(object => object.kind === kind);
  assert.equal(ofKind.length, 1, `${ofKind.length} of ${kind}`);
  return ofKind[0] as T;
}

const overlays = readdirSync('manifests/overlays');
const folders = ['manifests/base', ...overlays.map(name => `manifests/overlays/${name}`)];

/** What is wrong with the objects of a folder, beyond what kustomize itself refuses. */
function assertWhole(objects: KubeObject[]): void {
  assert.ok(objects.length >= 9);
  assert.deepEqual(
    objects.flatMap(object => schemaFaults({ ...object })),
    [],
  );
  const { template, selector } = only<V1Deployment>(objects, 'Deployment').spec!;
  const pod = template.spec!;
  const labels = Object.entries(template.metadata!.labels!);
  const matches = (wanted: Record<string, string> | undefined) =>
    Object.entries(wanted ?? {}).every(([key, value]) => labels.some(([k, v]) => k === key && v === value));
  const service = only<V1Service>(objects, 'Service').spec!;
  assert.ok(matches(selector.matchLabels) && matches(service.selector));
  const policy = only<V1NetworkPolicy>(objects, 'NetworkPolicy').spec!;
  assert.ok(matches(policy.podSelector!.matchLabels));
  assert.ok(policy.ingress!.length > 0);
  // as the file has it: the client's own classes call the field `_from`
  for (const { from } of policy.ingress! as { from?: V1NetworkPolicyPeer[] }[]) {
    assert.ok(from && from.length > 0, 'a rule without `from` admits everybody');
    for (const { ipBlock, podSelector } of from) {
      assert.ok(podSelector?.matchLabels || /\/(3[0-2]|128)$/.test(ipBlock?.cidr ?? ''));
    }
  }

  const container = pod.containers[0] as V1Container;
  const ports = container.ports!.map(({ name }) => name);
  const probes = [container.startupProbe, container.livenessProbe, container.readinessProbe];
  const named = [
    ...service.ports!.map(({ targetPort }) => targetPort),
    ...probes.map(probe => probe!.httpGet!.port),
  ];
  for (const name of named) assert.ok(ports.includes(String(name)), `no port ${name}`);
  const volumes = pod.volumes!.map(({ name }) => name);
  assert.deepEqual(container.volumeMounts!.map(({ name }) => name).sort(), volumes.sort());

  const roles = objects
    .filter(({ kind }) => /^(Cluster)?Role$/.test(kind))
    .map(({ metadata }) => metadata.name);
  for (const binding of objects.filter(({ kind }) => kind === 'RoleBinding') as unknown as V1RoleBinding[]) {
    assert.ok(roles.includes(binding.roleRef.name));
    assert.deepEqual(
      binding.subjects!.map(({ name }) => name),
      [pod.serviceAccountName],
    );
  }
  const known = allOptions.map(({ option }) => environmentName(option.flag));
  const set = container.env!.map(({ name }) => name);
  assert.deepEqual(
    set.filter(name => !known.includes(name)),
    [],
  );
  assert.deepEqual(
    objects.filter(({ kind }) => kind === 'ClusterRoleBinding'),
    [],
    'nothing is granted for the whole cluster',
  );
}

/** The objects by kind, namespace and name: their order does not matter. */
function byName(objects: KubeObject[]): Record<string, KubeObject> {
  return Object.fromEntries(
    objects.map(object => [`${object.kind} ${object.metadata.namespace}/${object.metadata.name}`, object]),
  );
}

/** Every pair of the names, all of them, and all of them backwards: what two do not spoil, three do not either. */
function compositionsOf(names: readonly string[]): string[][] {
  const pairs = names.flatMap((name, index) => names.slice(index + 1).map(other => [name, other]));
  return [...pairs, [...names], names.toReversed()];
}

describe('the components', { skip: withoutComponents }, () => {
  const composed = mkdtempSync(join(tmpdir(), 'manifests-'));
  after(() => rmSync(composed, { recursive: true }));
  const root = relative(realpathSync(composed), realpathSync('.'));

  async function compose(names: readonly string[]): Promise<KubeObject[]> {
    const folder = join(composed, names.join('_'));
    mkdirSync(folder, { recursive: true });
    const kustomization = {
      apiVersion: 'kustomize.config.k8s.io/v1beta1',
      kind: 'Kustomization',
      resources: [`../${root}/manifests/base`],
      components: names.map(name => `../${root}/manifests/overlays/${name}/component`),
    };
    writeFileSync(join(folder, 'kustomization.yaml'), JSON.stringify(kustomization));
    return build(folder);
  }

  for (const name of overlays) {
    test(`${name} alone is its overlay`, async () => {
      assert.deepEqual(byName(await compose([name])), byName(await build(`manifests/overlays/${name}`)));
    });
  }

  test('records before other-namespace: the rights are where the records are, and those alone', async () => {
    const others = overlays.filter(name => name !== 'records');
    for (const names of [['records', 'other-namespace'], ['records', ...others], ['records']]) {
      const objects = await compose(names);
      const rights = objects.filter(({ metadata }) => metadata.name === 'tiller-gateway-records');
      const namespace = names.includes('other-namespace') ? 'tiller-world' : 'kube-system';
      assert.deepEqual(
        rights.map(({ kind, metadata }) => [kind, metadata.namespace]).sort(),
        [
          ['Role', namespace],
          ['RoleBinding', namespace],
        ],
        names.join(),
      );
      const [binding] = rights.filter(({ kind }) => kind === 'RoleBinding') as unknown as V1RoleBinding[];
      assert.equal(binding?.subjects?.[0]?.namespace, 'kube-system');
    }
  });

  test('compose: any of them together are whole, in any order', async () => {
    const env = (objects: KubeObject[]) =>
      only<V1Deployment>(objects, 'Deployment').spec!.template.spec!.containers[0]!.env!.map(
        ({ name }) => name,
      );
    const added = new Map<string, string[]>();
    for (const name of overlays) added.set(name, env(await build(`manifests/overlays/${name}`)));
    for (const names of compositionsOf(overlays)) {
      const objects = await compose(names);
      assertWhole(objects);
      const wanted = new Set(names.flatMap(name => added.get(name)!));
      assert.deepEqual(env(objects).sort(), [...wanted].sort(), names.join());
      assert.equal(only<V1Service>(objects, 'Service').spec!.ports![0]!.name, 'http');
    }
  });
});

describe('the manifests', { skip: withoutKubectl }, () => {
  for (const folder of folders) {
    test(`${folder} is whole`, async () => assertWhole(await build(folder)));
  }

  test('the pod runs without rights', async () => {
    const { template } = only<V1Deployment>(await build('manifests/base'), 'Deployment').spec!;
    const { securityContext, containers } = template.spec!;
    assert.equal(securityContext?.runAsNonRoot, true);
    assert.equal(securityContext?.seccompProfile?.type, 'RuntimeDefault');
    assert.deepEqual(containers[0]!.securityContext, {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
  });

  test('the grace period leaves room for preStop and the drain', async () => {
    const { template } = only<V1Deployment>(await build('manifests/base'), 'Deployment').spec!;
    const { env, lifecycle } = template.spec!.containers[0]!;
    const drain = env!.find(({ name }) => name === environmentName('drain-timeout'))?.value;
    const pauseMs = Number(/(\d+)\)$/.exec(lifecycle!.preStop!.exec!.command!.at(-1)!)?.[1]);
    assert.equal(drain, '5m');
    assert.ok(template.spec!.terminationGracePeriodSeconds! >= 300 + pauseMs / 1000 + 10);
  });

  test('the API server can be reached over IPv4 and IPv6, the metadata services of clouds over neither', async () => {
    const { egress } = only<V1NetworkPolicy>(await build('manifests/base'), 'NetworkPolicy').spec!;
    const blocks = egress!.flatMap(({ to }) => to ?? []).flatMap(({ ipBlock }) => ipBlock ?? []);
    assert.deepEqual(blocks.map(({ cidr }) => cidr).sort(), ['0.0.0.0/0', '::/0']);
    for (const [index, address] of ['169.254.169.254', 'fd00:ec2::254'].entries()) {
      const family = index === 0 ? 'ipv4' : 'ipv6';
      const excepted = new BlockList();
      for (const range of blocks[index]!.except!) {
        const [network = '', bits] = range.split('/');
        excepted.addSubnet(network, Number(bits), family);
      }
      assert.ok(excepted.check(address, family), address);
    }
  });

  test('the service is what cluster-info looks for', async () => {
    const service = only<V1Service>(await build('manifests/base'), 'Service');
    assert.equal(service.metadata!.name, 'swift');
    assert.equal(service.metadata!.namespace, 'kube-system');
    assert.equal(service.metadata!.labels!['kubernetes.io/cluster-service'], 'true');
    assert.deepEqual(
      service.spec!.ports!.map(({ name, port }) => [name, port]),
      [['http', 80]],
    );
  });

  test("with TLS the Service offers what swift's does, and the role names its second port too", async () => {
    const objects = await build('manifests/overlays/gateway-tls');
    assert.deepEqual(
      only<V1Service>(objects, 'Service').spec!.ports!.map(({ name, port }) => [name, port]),
      [
        ['http', 80],
        ['https', 443],
      ],
    );
    const role = objects.find(({ metadata }) => metadata.name === 'tiller-gateway-user');
    assert.ok((role as V1ClusterRole).rules![0]!.resourceNames!.includes('https:swift:https'));
  });

  test('a lost Tiller takes a pod out of the Service soon', async () => {
    const { template } = only<V1Deployment>(await build('manifests/base'), 'Deployment').spec!;
    assert.equal(template.spec!.containers[0]!.readinessProbe!.periodSeconds, 2);
  });

  test('another namespace gets a binding of its own and is the only one looked in', async () => {
    const objects = await build('manifests/overlays/other-namespace');
    const bindings = objects.filter(({ kind }) => kind === 'RoleBinding');
    assert.deepEqual(bindings.map(({ metadata }) => metadata.namespace).sort(), [
      'kube-system',
      'tiller-world',
    ]);
    const { env } = only<V1Deployment>(objects, 'Deployment').spec!.template.spec!.containers[0]!;
    assert.ok(
      env!.some(
        ({ name, value }) => name === environmentName('tiller-namespace') && value === 'tiller-world',
      ),
    );
  });

  test('release records are read with rights of their own', async () => {
    const objects = await build('manifests/overlays/records');
    const role = objects.find(({ metadata }) => metadata.name === 'tiller-gateway-records');
    assert.deepEqual((role as V1ClusterRole).rules, [
      { apiGroups: [''], resources: ['configmaps'], verbs: ['get', 'list', 'watch'] },
    ]);
    const base = await build('manifests/base');
    assert.ok(!base.some(({ metadata }) => metadata.name === 'tiller-gateway-records'));
  });

  test('old clusters get what they know', async () => {
    const objects = await build('manifests/overlays/kubernetes-1.18');
    assert.equal(only<KubeObject>(objects, 'PodDisruptionBudget').apiVersion, 'policy/v1beta1');
    assert.equal(
      only<V1Deployment>(objects, 'Deployment').spec!.template.spec!.securityContext!.seccompProfile,
      undefined,
    );
  });
});

test('the schema check finds faults', () => {
  const service = { apiVersion: 'v1', kind: 'Service', spec: { ports: [{ name: 1, prot: 'TCP' }] } };
  assert.deepEqual(schemaFaults(service), [
    'Service.spec.ports[0].prot: unknown field',
    'Service.spec.ports[0].port: missing',
    'Service.spec.ports[0].name: expected a string, got 1',
  ]);
});
