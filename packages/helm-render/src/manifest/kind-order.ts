/** The order in which Tiller installs kinds. https://v2.helm.sh/docs/developing_charts/#hooks (InstallOrder) */
const installOrder = [
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

/** The order in which Tiller deletes them (UninstallOrder): services go before what they lead to. */
const uninstallOrder = ['APIService', 'Ingress', 'Service', ...installOrder.toReversed().filter(isOther)];

function isOther(kind: string): boolean {
  return kind !== 'APIService' && kind !== 'Ingress' && kind !== 'Service';
}

/** A manifest with what decides its place. */
export interface Sortable {
  readonly kind: string;
  /** The file it comes from. Decides between documents of one kind. */
  readonly path: string;
}

const compareText = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

/** By kind, unknown kinds last by their names, and then by file. */
function comparator(order: readonly string[]): (first: Sortable, second: Sortable) => number {
  const placeOf = new Map(order.map((kind, place) => [kind, place]));
  return (first, second) => {
    const firstPlace = placeOf.get(first.kind) ?? order.length;
    const secondPlace = placeOf.get(second.kind) ?? order.length;
    if (firstPlace !== secondPlace) return firstPlace - secondPlace;
    return compareText(first.kind, second.kind) || compareText(first.path, second.path);
  };
}

export const compareForInstall = comparator(installOrder);
export const compareForUninstall = comparator(uninstallOrder);
