/** The manifests of a hub and of its members, and what docs/clusters.md says. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import type { V1ClusterRole, V1Deployment, V1RoleBinding, V1Secret } from '@kubernetes/client-node';
import { loadAll } from 'js-yaml';
import { clusterFields, parseClustersFile } from '../src/clusters/clusters-file.ts';
import { allOptions } from '../src/config/index.ts';
import { schemaFaults } from './support/kube-schema.ts';
import { kubectl, withoutKubectl } from './support/kubectl.ts';

type KubeObject = { kind: string; metadata: { name: string } };

function read(text: string): KubeObject[] {
  return loadAll(text) as KubeObject[];
}

function readMember(file: string): KubeObject[] {
  return read(readFileSync(`manifests/hub-member/${file}`, 'utf8'));
}

describe('what a hub gets in a member', () => {
  test('is in the shape that Kubernetes takes', () => {
    const files = readdirSync('manifests/hub-member').filter(name => name !== 'kustomization.yaml');
    const objects = files.flatMap(readMember);
    assert.ok(objects.length >= 6);
    assert.deepEqual(
      objects.flatMap(object => schemaFaults({ ...object })),
      [],
    );
  });

  test('is exactly the service proxy of the gateway', () => {
    const [role] = readMember('proxy-role.yaml') as unknown as V1ClusterRole[];
    assert.deepEqual(role?.rules, [
      {
        apiGroups: [''],
        resources: ['services/proxy'],
        resourceNames: ['swift', 'swift:http', 'http:swift:http'],
        verbs: ['get', 'create', 'update', 'delete'],
      },
    ]);
  });

  test('or exactly the port-forward to Tiller', () => {
    const [role] = readMember('tunnel-role.yaml') as unknown as V1ClusterRole[];
    assert.deepEqual(
      role?.rules?.map(({ resources, verbs }) => [resources, verbs]),
      [
        [['pods'], ['list']],
        [['pods/portforward'], ['get', 'create']],
      ],
    );
  });

  for (const kind of ['proxy', 'tunnel']) {
    test(`is bound in one namespace, to the hub's account (${kind})`, () => {
      const [binding] = readMember(`${kind}-binding.yaml`) as unknown as V1RoleBinding[];
      const [role] = readMember(`${kind}-role.yaml`);
      const [account] = readMember('service-account.yaml');
      assert.equal(binding?.kind, 'RoleBinding');
      assert.equal(binding?.roleRef.name, role?.metadata.name);
      assert.deepEqual(
        binding?.subjects?.map(({ name }) => name),
        [account?.metadata.name],
      );
    });
  }
});

describe('the overlay of the hub', { skip: withoutKubectl }, () => {
  test('mounts the Secret with a clusters file that can be read, where the flag says', async () => {
    const objects = read(await kubectl(['kustomize', 'manifests/overlays/hub']));
    const secret = objects.find(({ kind }) => kind === 'Secret') as unknown as V1Secret;
    const file = Buffer.from(secret.data?.['clusters.yaml'] ?? '', 'base64').toString();
    assert.deepEqual(parseClustersFile(file, 'clusters.yaml'), []);
    const uncommented = file.replace('clusters: []', 'clusters:').replaceAll(/^#(?= {2})/gm, '');
    assert.equal(parseClustersFile(uncommented, 'clusters.yaml')[0]?.upstream, 'gateway');
    const deployment = objects.find(({ kind }) => kind === 'Deployment') as unknown as V1Deployment;
    const pod = deployment.spec?.template.spec;
    const container = pod?.containers[0];
    const volume = pod?.volumes?.find(({ secret: source }) => source?.secretName === secret.metadata?.name);
    const mount = container?.volumeMounts?.find(({ name }) => name === volume?.name);
    const path = container?.env?.find(({ name }) => name === 'TILLER_GATEWAY_CLUSTERS')?.value;
    assert.equal(path, `${mount?.mountPath}/clusters.yaml`);
  });
});

describe('docs/clusters.md', () => {
  const text = readFileSync('docs/clusters.md', 'utf8');

  test('has every field of the file, and no other', () => {
    const section = text.split(/^## /m).find(part => part.startsWith('The clusters file')) ?? '';
    const rows = [...section.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name);
    assert.deepEqual(rows.sort(), Object.keys(clusterFields).sort());
    for (const name of Object.keys(clusterFields.tls!)) assert.ok(section.includes(`\`${name}\``), name);
  });

  test('has examples of the file that can be read', () => {
    const [example] = [...text.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, yaml]) => yaml ?? '');
    const unindented = (example ?? '').replaceAll(/^ {3}/gm, '');
    assert.equal(parseClustersFile(unindented, 'clusters.yaml').length, 2);
  });

  test('has commands that a shell can read, flags that exist and files that are there', () => {
    const commands = [...text.matchAll(/^ *```sh\n([\s\S]*?)^ *```$/gm)].map(([, sh]) => sh).join('\n');
    assert.doesNotThrow(() => execFileSync('bash', ['-n'], { input: commands }));
    const flags = new Set(allOptions.flatMap(({ option }) => [option.flag, ...option.aliases]));
    const given = [
      ...[...text.matchAll(/`--([a-z-]+)/g)].map(([, flag]) => flag),
      ...[...commands.matchAll(/npm start -- (.*)/g)]
        .flatMap(([, line]) => line?.match(/--[a-z-]+/g) ?? [])
        .map(flag => flag.slice(2)),
    ];
    assert.ok(given.length > 10);
    for (const flag of given) assert.ok(flags.has(flag ?? ''), `there is no --${flag}`);
    for (const [path] of text.matchAll(/\bmanifests\/[\w./-]*[\w-]/g)) {
      if (!path.endsWith('eu.kubeconfig')) assert.ok(existsSync(path), `there is no ${path}`);
    }
  });
});
