/** The order in which Tiller installs kinds. https://v2.helm.sh/docs/developing_charts/#hooks (InstallOrder) */
const kinds = [
  'Namespace',
  'NetworkPolicy',
  'ResourceQuota',
  'LimitRange',
  'PodSecurityPolicy',
  'PodDisruptionBudget',
  'Secret',
  'ConfigMap',
  'StorageClass',
  'PersistentVolume',
  'PersistentVolumeClaim',
  'ServiceAccount',
  'CustomResourceDefinition',
  'ClusterRole',
  'ClusterRoleList',
  'ClusterRoleBinding',
  'ClusterRoleBindingList',
  'Role',
  'RoleList',
  'RoleBinding',
  'RoleBindingList',
  'Service',
  'DaemonSet',
  'Pod',
  'ReplicationController',
  'ReplicaSet',
  'Deployment',
  'HorizontalPodAutoscaler',
  'StatefulSet',
  'Job',
  'CronJob',
  'Ingress',
  'APIService',
];

const placeOf = new Map(kinds.map((kind, place) => [kind, place]));

/** A manifest with what decides its place. */
export interface Sortable {
  readonly kind: string;
  /** The file it comes from. */
  readonly path: string;
}

const compareText = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

/** By kind in order of installation, unknown kinds last by their names, and then by file. */
export function compareForInstall(first: Sortable, second: Sortable): number {
  const firstPlace = placeOf.get(first.kind) ?? kinds.length;
  const secondPlace = placeOf.get(second.kind) ?? kinds.length;
  if (firstPlace !== secondPlace) return firstPlace - secondPlace;
  if (firstPlace === kinds.length && first.kind !== second.kind) return compareText(first.kind, second.kind);
  return compareText(first.path, second.path);
}
