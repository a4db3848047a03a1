import { type Json, type KubeObject, listOf, objectOf } from '../objects/kube-object.ts';
import type { PodOutcome } from '../work/pod-outcome.ts';

/**
 * The status that an object has when the cluster has done its work, for kinds that wait for that: Tiller's objects have
 * it from the start, since nothing runs. Undefined for all others.
 * @param outcome how a Pod or Job ends
 */
export function settledStatus({ kind, spec }: KubeObject, outcome: PodOutcome | undefined): Json | undefined {
  const { replicas: asked, completions, template, containers } = objectOf(spec);
  const replicas = typeof asked === 'number' ? asked : 1;
  switch (kind) {
    case 'Deployment':
      return {
        observedGeneration: 1,
        replicas,
        updatedReplicas: replicas,
        readyReplicas: replicas,
        availableReplicas: replicas,
        conditions: [{ type: 'Available', status: 'True', reason: 'MinimumReplicasAvailable' }],
      };
    case 'StatefulSet':
      return { replicas, readyReplicas: replicas, currentReplicas: replicas, updatedReplicas: replicas };
    case 'ReplicaSet':
    case 'ReplicationController':
      return { replicas, readyReplicas: replicas, availableReplicas: replicas };
    case 'DaemonSet':
      return {
        desiredNumberScheduled: 1,
        currentNumberScheduled: 1,
        numberReady: 1,
        updatedNumberScheduled: 1,
        numberAvailable: 1,
      };
    case 'PersistentVolumeClaim':
      return { phase: 'Bound' };
    case 'Job': {
      const times = typeof completions === 'number' ? completions : 1;
      return outcome?.succeeded === false
        ? { failed: 1, conditions: [{ type: 'Failed', status: 'True', reason: 'BackoffLimitExceeded' }] }
        : { succeeded: times, conditions: [{ type: 'Complete', status: 'True' }] };
    }
    case 'Pod':
      return podStatus(template === undefined ? listOf(containers) : [], outcome);
    default:
      return undefined;
  }
}

function podStatus(containers: readonly Json[], outcome: PodOutcome | undefined): Json {
  const exitCode = outcome?.succeeded === false ? 1 : 0;
  return {
    phase: exitCode === 0 ? 'Succeeded' : 'Failed',
    containerStatuses: containers.map(container => ({
      name: objectOf(container).name ?? '',
      ready: false,
      restartCount: 0,
      state: { terminated: { exitCode, reason: exitCode === 0 ? 'Completed' : 'Error' } },
    })),
  };
}
