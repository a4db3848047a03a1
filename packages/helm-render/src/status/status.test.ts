import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatAge, resourceTable } from './resource-table.ts';

/** Rules: HumanDuration's documentation and tests in k8s.io/apimachinery/pkg/util/duration. */
describe('ages', () => {
  const second = 1000;
  const minute = 60 * second;
  const hour = 60 * minute;
  const day = 24 * hour;
  const cases: [ageMs: number, text: string][] = [
    [-3 * second, '<invalid>'],
    [-second, '0s'],
    [0, '0s'],
    [999, '0s'],
    [second, '1s'],
    [70 * second, '70s'],
    [119 * second, '119s'],
    [2 * minute, '2m'],
    [138 * second, '2m18s'],
    [9 * minute + 59 * second, '9m59s'],
    [10 * minute + 59 * second, '10m'],
    [179 * minute, '179m'],
    [3 * hour, '3h'],
    [3 * hour + minute, '3h1m'],
    [8 * hour + minute, '8h'],
    [47 * hour, '47h'],
    [48 * hour, '2d'],
    [49 * hour, '2d1h'],
    [8 * day + hour, '8d'],
    [729 * day, '729d'],
    [730 * day, '2y'],
    [731 * day, '2y1d'],
    [8 * 365 * day + day, '8y'],
  ];
  for (const [ageMs, text] of cases) it(text, () => assert.equal(formatAge(ageMs), text));
});

describe('the table of resources', () => {
  const age = 138_000;

  it('is what Tiller recorded for a ConfigMap', () => {
    const manifest =
      '\n---\n# Source: hello/templates/configmap.yaml\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: alpha-hello\ndata: {a: "1", b: "2", c: "3"}\n';
    const recorded = '==> v1/ConfigMap\nNAME          DATA   AGE\nalpha-hello   3      2m18s\n\n';
    assert.equal(resourceTable(manifest, age), recorded);
  });

  it('has the form recorded for workloads and services', () => {
    const manifest = `
---
apiVersion: v1
kind: Service
metadata: {name: bravo-web}
spec: {clusterIP: 10.96.237.239, ports: [{port: 80}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: bravo-web}
spec: {replicas: 2, template: {spec: {containers: [{name: web}]}}}
`;
    const table = resourceTable(manifest, age);
    assert.match(
      table,
      /^==> v1\/Deployment\nNAME {8}READY {3}UP-TO-DATE {3}AVAILABLE {3}AGE\nbravo-web {3}2\/2 {5}2 {12}2 {11}2m18s\n\n==> v1\/Pod\(related\)\n/,
    );
    assert.match(table, /^bravo-web-[0-9a-z]{10}-[0-9a-z]{5} {3}1\/1 {5}Running {3}0 {10}2m18s$/m);
    const service =
      '==> v1/Service\nNAME        TYPE        CLUSTER-IP      EXTERNAL-IP   PORT(S)   AGE\nbravo-web   ClusterIP   10.96.237.239   <none>        80/TCP    2m18s\n\n';
    assert.ok(table.endsWith(service), table);
  });

  const rows: [kind: string, body: string, line: string][] = [
    [
      'Secret',
      'type: kubernetes.io/tls\ndata: {a: YQ==}\nstringData: {a: a, b: b}',
      'x kubernetes.io/tls 2 1s',
    ],
    ['Secret', 'data: {}', 'x Opaque 0 1s'],
    ['ServiceAccount', '', 'x 1 1s'],
    ['StatefulSet', 'spec: {replicas: 3}', 'x 3/3 1s'],
    ['ReplicaSet', 'spec: {replicas: 2}', 'x 2 2 2 1s'],
    ['DaemonSet', 'spec: {template: {spec: {nodeSelector: {disk: ssd}}}}', 'x 1 1 1 1 1 disk=ssd 1s'],
    ['Pod', 'spec: {containers: [{}, {}]}', 'x 2/2 Running 0 1s'],
    ['Job', 'spec: {completions: 2}', 'x 0/2 1s 1s'],
    ['CronJob', 'spec: {schedule: "@daily", suspend: true}', 'x @daily True 0 <none> 1s'],
    ['Ingress', 'spec: {rules: [{host: a.test}, {host: b.test}], tls: [{}]}', 'x a.test,b.test 80, 443 1s'],
    ['Ingress', 'spec: {}', 'x * 80 1s'],
    [
      'PersistentVolumeClaim',
      'spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 8Gi}}}',
      'x Bound pvc-x 8Gi RWO standard 1s',
    ],
    [
      'Service',
      'spec: {type: NodePort, clusterIP: None, ports: [{port: 80, nodePort: 30080}, {port: 53, protocol: UDP}]}',
      'x NodePort None <none> 80:30080/TCP,53/UDP 1s',
    ],
    ['Service', 'spec: {type: ExternalName, externalName: e.test}', 'x ExternalName <none> e.test <none> 1s'],
    [
      'Service',
      'spec: {type: LoadBalancer, clusterIP: 10.0.0.1, ports: [{port: 1}]}',
      'x LoadBalancer 10.0.0.1 <pending> 1/TCP 1s',
    ],
    [
      'HorizontalPodAutoscaler',
      'spec: {scaleTargetRef: {kind: Deployment, name: d}, minReplicas: 2, maxReplicas: 5}',
      'x Deployment/d <unknown> 2 5 2 1s',
    ],
    ['PodDisruptionBudget', 'spec: {minAvailable: 1}', 'x 1 N/A 0 1s'],
    ['NetworkPolicy', 'spec: {podSelector: {matchLabels: {a: b}}}', 'x a=b 1s'],
    ['Namespace', '', 'x Active 1s'],
    ['Role', '', 'x 1s'],
    ['Unknown', '', 'x 1s'],
  ];
  for (const [kind, body, line] of rows) {
    it(`shows a ${kind}: ${line}`, () => {
      const table = resourceTable(`apiVersion: g/v1\nkind: ${kind}\nmetadata: {name: x}\n${body}\n`, 1000);
      const shown = table.split(`==> v1/${kind}\n`)[1]!.split('\n')[1]!;
      assert.equal(shown.replace(/ +/g, ' '), line);
    });
  }

  it('lists pods by the kind of what made them, and no more than it can show', () => {
    const table = (kind: string, spec: string) =>
      resourceTable(`apiVersion: apps/v1\nkind: ${kind}\nmetadata: {name: x}\nspec: {${spec}}\n`, 1000);
    assert.match(table('StatefulSet', 'replicas: 2'), /^x-0 .*\nx-1 /m);
    assert.match(table('DaemonSet', ''), /^x-[0-9a-z]{5} /m);
    assert.equal(
      table('Deployment', 'replicas: 1000000')
        .split('\n')
        .filter(line => line.startsWith('x-')).length,
      50,
    );
    assert.doesNotMatch(table('Deployment', 'replicas: 0'), /related/);
  });

  it('shows the items of lists', () => {
    const item = (name: string) => `{apiVersion: v1, kind: Namespace, metadata: {name: ${name}}}`;
    const list = `apiVersion: v1\nkind: List\nitems: [${item('a')}, ${item('b')}]\n`;
    const table = '==> v1/Namespace\nNAME   STATUS   AGE\na      Active   0s\nb      Active   0s\n\n';
    assert.equal(resourceTable(list, 0), table);
  });

  it('leaves out what is no resource', () => {
    assert.equal(resourceTable('', 0), '');
    assert.equal(resourceTable('# comment\n---\n[]\n---\nkind: X\n', 0), '');
  });
});
