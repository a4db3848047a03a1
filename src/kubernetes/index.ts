export { type ApiRefusal, apiError, type ClusterAccess, getJson, type RequestSettings } from './api.ts';
export {
  choosePod,
  chooseService,
  listPods,
  listServices,
  missingRight,
  type Pod,
  type ResourceRight,
  type Service,
  tillerIn,
  tillerLabels,
} from './discovery.ts';
export {
  addressText,
  type Connector,
  dial,
  hostPort,
  parseEndpoint,
  type SocketAddress,
  type TillerStream,
  tillerPort,
} from './endpoint.ts';
export {
  type ClusterNames,
  createClusterNames,
  createServiceAccountAccess,
  serviceAccountFolder,
} from './in-cluster.ts';
export { KeptConnections } from './kept-connections.ts';
export { createKubeconfigAccess, type KubeconfigAccessOptions } from './kubeconfig-access.ts';
export { type KubeconfigSource, kubeconfigFiles, readKubeconfig } from './kubeconfig-file.ts';
export { openPodTunnel } from './open-tunnel.ts';
export { proxyFor } from './proxy.ts';
export {
  type KubernetesObject,
  ObjectWatch,
  type WatchHandler,
  WatchRefused,
  type WatchTimes,
} from './watch.ts';
