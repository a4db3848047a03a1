import { createHash } from 'node:crypto';
import { countAt, listAt, type Resource } from './resource.ts';

/** Pods of one resource that are listed; a chart may ask for any number. */
const maxPods = 50;

/** Letters that Kubernetes makes names of: no vowels, so that no words come out. */
const alphabet = 'bcdfghjklmnpqrstvwxz2456789';

/** A suffix as Kubernetes makes it, but the same every time. */
function suffix(seed: string, length: number): string {
  const digest = createHash('sha256').update(seed).digest();
  return Array.from(digest.subarray(0, length), byte => alphabet[byte % alphabet.length]).join('');
}

function podNames({ kind, name }: Resource, count: number): string[] {
  const indices = Array.from({ length: Math.min(count, maxPods) }, (_, index) => index);
  if (kind === 'StatefulSet') return indices.map(index => `${name}-${index}`);
  const owner = kind === 'Deployment' ? `${name}-${suffix(name, 10)}` : name;
  return indices.map(index => `${owner}-${suffix(`${name}/${index}`, 5)}`).sort();
}

const replicasOf: Readonly<Record<string, (resource: Resource) => number>> = {
  Deployment: resource => countAt(resource, 1, 'spec', 'replicas'),
  ReplicaSet: resource => countAt(resource, 1, 'spec', 'replicas'),
  ReplicationController: resource => countAt(resource, 1, 'spec', 'replicas'),
  StatefulSet: resource => countAt(resource, 1, 'spec', 'replicas'),
  DaemonSet: () => 1,
  Job: resource => countAt(resource, 1, 'spec', 'parallelism'),
};

/** The pods that a workload's controller would have made. */
export function relatedPods(resource: Resource): Resource[] {
  const count = replicasOf[resource.kind]?.(resource) ?? 0;
  const containers = listAt(resource, 'spec', 'template', 'spec', 'containers');
  return podNames(resource, count).map(name => ({
    apiVersion: 'v1',
    kind: 'Pod',
    name,
    body: new Map([['spec', new Map([['containers', containers]])]]),
  }));
}
