import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { BlockList } from 'node:net';
import { describe, test } from 'node:test';
import type {
  V1Container,
  V1Deployment,
  V1NetworkPolicy,
  V1RoleBinding,
  V1Service,
} from '@kubernetes/client-node';
import { loadAll } from 'js-yaml';
import { allOptions, environmentName } from '../src/config/index.ts';
import { schemaFaults } from './support/kube-schema.ts';
import { kubectl, withoutKubectl } from './support/kubectl.ts';

type KubeObject = { apiVersion: string; kind: string; metadata: { name: string; namespace?: string } };

async function build(folder: string): Promise<KubeObject[]> {
  return loadAll(await kubectl(['kustomize', folder])) as KubeObject[];
}

function only<T>(objects: readonly KubeObject[], kind: string): T {
  const ofKind = objects.filter(object => object.kind === kind);
  assert.equal(ofKind.length, 1, `${ofKind.length} of ${kind}`);
  return ofKind[0] as T;
}

const folders = [
  'manifests/base',
  ...readdirSync('manifests/overlays').map(name => `manifests/overlays/${name}`),
];

describe('the manifests', { skip: withoutKubectl }, () => {
  for (const folder of folders) {
    test(`${folder} is built, and every object passes the schema`, async () => {
      const objects = await build(folder);
      assert.ok(objects.length >= 9);
      assert.deepEqual(
        objects.flatMap(object => schemaFaults({ ...object })),
        [],
      );
    });

    test(`${folder} is consistent in itself`, async () => {
      const objects = await build(folder);
      const { template, selector } = only<V1Deployment>(objects, 'Deployment').spec!;
      const pod = template.spec!;
      const labels = Object.entries(template.metadata!.labels!);
      const matches = (wanted: Record<string, string> | undefined) =>
        Object.entries(wanted ?? {}).every(([key, value]) =>
          labels.some(([k, v]) => k === key && v === value),
        );
      const service = only<V1Service>(objects, 'Service').spec!;
      assert.ok(matches(selector.matchLabels) && matches(service.selector));
      assert.ok(matches(only<V1NetworkPolicy>(objects, 'NetworkPolicy').spec!.podSelector!.matchLabels));

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
      for (const binding of objects.filter(
        ({ kind }) => kind === 'RoleBinding',
      ) as unknown as V1RoleBinding[]) {
        assert.ok(roles.includes(binding.roleRef.name));
        assert.deepEqual(
          binding.subjects!.map(({ name }) => name),
          [pod.serviceAccountName],
        );
      }
    });

    test(`${folder} sets no option that does not exist`, async () => {
      const { template } = only<V1Deployment>(await build(folder), 'Deployment').spec!;
      const known = allOptions.map(({ option }) => environmentName(option.flag));
      const set = template.spec!.containers[0]!.env!.map(({ name }) => name);
      assert.deepEqual(
        set.filter(name => !known.includes(name)),
        [],
      );
    });
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
    assert.equal(service.spec!.ports![0]!.name, 'http');
  });

  test('nothing is granted for the whole cluster', async () => {
    for (const folder of folders) {
      assert.deepEqual(
        (await build(folder)).filter(({ kind }) => kind === 'ClusterRoleBinding'),
        [],
      );
    }
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
