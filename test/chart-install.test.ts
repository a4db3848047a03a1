import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { describe, type TestContext, test } from 'node:test';
import type {
  V1ClusterRole,
  V1Deployment,
  V1NetworkPolicy,
  V1Role,
  V1RoleBinding,
  V1Service,
} from '@kubernetes/client-node';
import { loadAll } from 'js-yaml';
import { loadChart } from '../src/charts/archive/load-chart.ts';
import { encodeChart } from '../src/charts/chart/chart.ts';
import { decodeMessage, encodeMessage } from '../src/codec/index.ts';
import { allOptions, environmentName } from '../src/config/index.ts';
import { startSandboxTiller } from '../src/sandbox/index.ts';
import { createTestTiller } from './support/gateway.ts';
import { schemaFaults } from './support/kube-schema.ts';
import { chartOf, configMap } from './support/tiller-messages.ts';

interface KubeObject {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

const folder = 'charts/tiller-gateway';
const limits = { maxUnpackedBytes: 1024 * 1024, maxEntries: 100, maxNestedArchives: 0 };

/**
 * Has the sandbox's Tiller install our chart, and gives the manifest and the notes.
 * @param otherNamespace one that is there before, because something else was installed in it
 */
async function install(
  t: TestContext,
  values: object = {},
  otherNamespace?: string,
): Promise<{ objects: KubeObject[]; notes: string }> {
  const tiller = await startSandboxTiller();
  const client = createTestTiller(tiller.address);
  t.after(async () => {
    client.destroy();
    await tiller.stop();
  });
  const files = globSync('**', { cwd: folder, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => `${entry.parentPath}/${entry.name}`)
    .map(path => ({ name: path.slice(path.indexOf(folder) + folder.length + 1), data: readFileSync(path) }));
  const chart = decodeMessage('hapi.chart.Chart', encodeChart(await loadChart(files, limits), 1024 * 1024));
  const request = encodeMessage('hapi.services.tiller.InstallReleaseRequest', {
    name: 'gateway',
    namespace: 'kube-system',
    chart,
    values: { raw: JSON.stringify(values) },
  });
  const call = (bytes: Buffer) =>
    client.unary('InstallRelease', bytes, { signal: AbortSignal.timeout(30_000), deadline: undefined });
  if (otherNamespace !== undefined) {
    const other = { namespace: otherNamespace, chart: chartOf('other', { 'cm.yaml': configMap('other') }) };
    await call(encodeMessage('hapi.services.tiller.InstallReleaseRequest', { ...other, values: {} }));
  }
  const reply = await call(request);
  const { release } = decodeMessage('hapi.services.tiller.InstallReleaseResponse', reply);
  const documents = loadAll(release?.manifest ?? '') as (KubeObject | null)[];
  return { objects: documents.filter(object => object !== null), notes: release?.info?.status?.notes ?? '' };
}

function only<T>(objects: readonly KubeObject[], kind: string): T {
  const ofKind = objects.filter(object => object.kind === kind);
  assert.equal(ofKind.length, 1, `${ofKind.length} of ${kind}`);
  return ofKind[0] as T;
}

/** What the chart may say otherwise than the manifests: names, labels, and how the namespace is set. */
function comparable(deployment: V1Deployment): unknown {
  const { template, strategy } = deployment.spec!;
  const { containers, securityContext, volumes, terminationGracePeriodSeconds } = template.spec!;
  const { env: _env, ...container } = containers[0]!;
  const { seccompProfile: _seccomp, ...security } = securityContext!;
  return { container, security, volumes, terminationGracePeriodSeconds, strategy };
}

describe('the Helm 2 chart', () => {
  test('is installed by Tiller, and every object passes the schema', async t => {
    const { objects, notes } = await install(t);
    assert.deepEqual(objects.map(({ kind }) => kind).sort(), [
      'ClusterRole',
      'Deployment',
      'HorizontalPodAutoscaler',
      'NetworkPolicy',
      'PodDisruptionBudget',
      'Role',
      'RoleBinding',
      'Service',
      'ServiceAccount',
    ]);
    assert.deepEqual(
      objects.flatMap(object => schemaFaults({ ...object })),
      [],
    );
    assert.match(notes, /namespaces\/kube-system\/services\/swift:http\/proxy\/tiller\/v2\/releases\/json/);
  });

  test('runs the same pod as the manifests', async t => {
    const fromChart = only<V1Deployment>((await install(t)).objects, 'Deployment');
    const [fromManifests] = loadAll(readFileSync('manifests/base/deployment.yaml', 'utf8'));
    assert.deepEqual(comparable(fromChart), comparable(fromManifests as V1Deployment));
  });

  test('lets the same traffic through as the manifests', async t => {
    const { spec } = only<V1NetworkPolicy>((await install(t)).objects, 'NetworkPolicy');
    const [fromManifests] = loadAll(readFileSync('manifests/base/network-policy.yaml', 'utf8'));
    const expected = (fromManifests as V1NetworkPolicy).spec!;
    assert.deepEqual([spec!.ingress, spec!.egress], [expected.ingress, expected.egress]);
  });

  test('finds its pods by the selectors', async t => {
    const { objects } = await install(t);
    const { selector, template } = only<V1Deployment>(objects, 'Deployment').spec!;
    assert.deepEqual(selector.matchLabels, template.metadata!.labels);
    assert.deepEqual(only<V1Service>(objects, 'Service').spec!.selector, template.metadata!.labels);
  });

  test('may read release records where that is asked for', async t => {
    const { objects } = await install(t, { rbac: { records: 'secrets' } });
    const roles = objects.filter(({ kind }) => kind === 'Role') as unknown as V1Role[];
    const role = roles.find(({ metadata }) => /-records$/.test(metadata!.name!));
    assert.deepEqual(role?.rules, [
      { apiGroups: [''], resources: ['secrets'], verbs: ['get', 'list', 'watch'] },
    ]);
    const bindings = objects.filter(({ kind }) => kind === 'RoleBinding') as unknown as V1RoleBinding[];
    assert.ok(bindings.some(({ roleRef }) => roleRef.name === role.metadata!.name));
    assert.deepEqual(
      objects.flatMap(object => schemaFaults({ ...object })),
      [],
    );
  });

  test('looks for Tiller where it is told to, and may do so only there', async t => {
    const values = {
      tiller: { namespace: 'tiller-world', tlsSecret: 'tls' },
      env: { TILLER_GATEWAY_LOG_LEVEL: 'debug' },
    };
    const { objects } = await install(t, values, 'tiller-world');
    assert.equal(only<V1Role>(objects, 'Role').metadata!.namespace, 'tiller-world');
    assert.equal(only<V1RoleBinding>(objects, 'RoleBinding').metadata!.namespace, 'tiller-world');
    const container = only<V1Deployment>(objects, 'Deployment').spec!.template.spec!.containers[0]!;
    const env = new Map(container.env!.map(({ name, value }) => [name, value]));
    assert.equal(env.get(environmentName('tiller-namespace')), 'tiller-world');
    assert.equal(env.get(environmentName('log-level')), 'debug');
    const known = allOptions.map(({ option }) => environmentName(option.flag));
    assert.deepEqual(
      [...env.keys()].filter(name => !known.includes(name)),
      [],
    );
    assert.deepEqual(
      container.volumeMounts!.map(({ mountPath }) => mountPath),
      ['/tmp', '/etc/tiller-tls'],
    );
  });

  test('takes every placement and addition that a Deployment may need', async t => {
    const affinity = { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [] } };
    const { objects } = await install(t, {
      imagePullSecrets: [{ name: 'registry' }],
      annotations: { of: 'the deployment' },
      podAnnotations: { of: 'the pods' },
      service: { annotations: { of: 'the service' } },
      nodeSelector: { disk: 'ssd' },
      tolerations: [{ key: 'critical', operator: 'Exists', effect: 'NoSchedule' }],
      affinity,
      dnsPolicy: 'None',
      dnsConfig: { nameservers: ['10.0.0.2'] },
      extraVolumes: [{ name: 'charts', emptyDir: {} }],
      extraVolumeMounts: [{ name: 'charts', mountPath: '/charts' }],
    });
    assert.deepEqual(
      objects.flatMap(object => schemaFaults({ ...object })),
      [],
    );
    const { metadata, spec } = only<V1Deployment>(objects, 'Deployment');
    assert.deepEqual(metadata!.annotations, { of: 'the deployment' });
    const { metadata: podMetadata, spec: pod } = spec!.template;
    assert.deepEqual(podMetadata!.annotations, {
      of: 'the pods',
      'seccomp.security.alpha.kubernetes.io/pod': 'runtime/default',
    });
    assert.deepEqual(only<V1Service>(objects, 'Service').metadata!.annotations, { of: 'the service' });
    assert.deepEqual(
      [pod!.imagePullSecrets, pod!.nodeSelector, pod!.affinity, pod!.dnsPolicy, pod!.dnsConfig],
      [[{ name: 'registry' }], { disk: 'ssd' }, affinity, 'None', { nameservers: ['10.0.0.2'] }],
    );
    assert.equal(pod!.tolerations![0]!.key, 'critical');
    assert.deepEqual(pod!.volumes!.at(-1), { name: 'charts', emptyDir: {} });
    assert.deepEqual(pod!.containers[0]!.volumeMounts!.at(-1), { name: 'charts', mountPath: '/charts' });
  });

  test('keeps numbers as they were written', async t => {
    const env = {
      TILLER_GATEWAY_BODY_LIMIT: 33554432,
      TILLER_GATEWAY_V: 4,
      TILLER_GATEWAY_MESSAGE_LIMIT: '16MiB',
      TILLER_GATEWAY_LOG_RPC: true,
    };
    const { objects } = await install(t, { image: { tag: 20201010 }, env });
    const [container] = only<V1Deployment>(objects, 'Deployment').spec!.template.spec!.containers;
    assert.equal(container!.image, 'tiller-gateway:20201010');
    const given = new Map(container!.env!.map(({ name, value }) => [name, value]));
    assert.deepEqual(
      Object.keys(env).map(name => given.get(name)),
      ['33554432', '4', '16MiB', 'true'],
    );
  });

  test('keeps uploads in a volume of each pod, or in a claim that all share', async t => {
    const path = '/var/lib/tiller-gateway/uploads';
    for (const [uploads, volume] of [
      [{ enabled: true }, { emptyDir: { sizeLimit: '1610612736' } }],
      [
        { enabled: true, claim: 'charts', maxBytes: 1000 },
        { persistentVolumeClaim: { claimName: 'charts' } },
      ],
    ] as const) {
      const { objects } = await install(t, { uploads });
      assert.deepEqual(
        objects.flatMap(object => schemaFaults({ ...object })),
        [],
      );
      const pod = only<V1Deployment>(objects, 'Deployment').spec!.template.spec!;
      assert.deepEqual(pod.volumes!.at(-1), { name: 'uploads', ...volume });
      const { volumeMounts, env } = pod.containers[0]!;
      assert.deepEqual(volumeMounts!.at(-1), { name: 'uploads', mountPath: path });
      const settingOf = (flag: string) => env!.find(({ name }) => name === environmentName(flag))?.value;
      assert.equal(settingOf('chart-upload-dir'), path);
      assert.equal(settingOf('chart-max-upload-bytes'), 'claim' in uploads ? '1000' : '1073741824');
    }
  });

  test('has as many pods as it is told without autoscaling', async t => {
    const { objects } = await install(t, { autoscaling: { enabled: false }, replicas: 3 });
    assert.equal(only<V1Deployment>(objects, 'Deployment').spec!.replicas, 3);
    assert.ok(!objects.some(({ kind }) => kind === 'HorizontalPodAutoscaler'));
    const scaled = only<V1Deployment>((await install(t)).objects, 'Deployment');
    assert.equal(scaled.spec!.replicas, undefined);
  });

  test("offers swift's ports, under the name of its chart too", async t => {
    const { objects, notes } = await install(t, { service: { portName: 'pt' }, tls: { secret: 'own' } });
    assert.deepEqual(
      objects.flatMap(object => schemaFaults({ ...object })),
      [],
    );
    assert.deepEqual(
      only<V1Service>(objects, 'Service').spec!.ports!.map(({ name, port, targetPort }) => [
        name,
        port,
        targetPort,
      ]),
      [
        ['pt', 80, 'http'],
        ['https', 443, 'http'],
      ],
    );
    assert.deepEqual(only<V1ClusterRole>(objects, 'ClusterRole').rules![0]!.resourceNames, [
      'swift',
      'swift:pt',
      'http:swift:pt',
      'swift:https',
      'https:swift:https',
    ]);
    assert.match(notes, /services\/swift:pt\/proxy/);
    const { volumes, containers } = only<V1Deployment>(objects, 'Deployment').spec!.template.spec!;
    assert.equal(volumes!.find(({ name }) => name === 'gateway-tls')?.secret?.secretName, 'own');
    const folders = containers[0]!.volumeMounts!.map(({ mountPath }) => mountPath);
    for (const { name, value } of containers[0]!.env!.filter(({ name }) => name.includes('_TLS_'))) {
      assert.ok(
        folders.some(mounted => value!.startsWith(`${mounted}/`)),
        name,
      );
    }
    const { objects: plain } = await install(t);
    assert.deepEqual(
      only<V1Service>(plain, 'Service').spec!.ports!.map(({ name, port }) => [name, port]),
      [['http', 80]],
    );
  });

  test('admits those that it is told to', async t => {
    const from = [{ namespaceSelector: { matchLabels: { team: 'dashboards' } } }];
    const { objects } = await install(t, { networkPolicy: { apiServer: ['10.0.0.10/32'], from } });
    const [rule] = only<V1NetworkPolicy>(objects, 'NetworkPolicy').spec!.ingress as { from?: unknown }[];
    assert.deepEqual(rule?.from, [
      { podSelector: { matchLabels: { 'k8s-app': 'konnectivity-agent' } } },
      { ipBlock: { cidr: '10.0.0.10/32' } },
      ...from,
    ]);
    const { objects: open } = await install(t, { networkPolicy: { enabled: false } });
    assert.ok(!open.some(({ kind }) => kind === 'NetworkPolicy'));
  });
});
