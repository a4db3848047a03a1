export { ApiRefused, type ClusterAccess, getJson, KeptConnections, type RequestSettings } from './api.ts';
export {
  choosePod,
  chooseService,
  listPods,
  listServices,
  missingRight,
  type Pod,
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
export { createClusterNames, createServiceAccountAccess, serviceAccountFolder } from './in-cluster.ts';
export { createKubeconfigAccess, type KubeconfigAccessOptions } from './kubeconfig-access.ts';
export { type KubeconfigSource, kubeconfigFiles, readKubeconfig } from './kubeconfig-file.ts';
export { openPodTunnel } from './pod-tunnel.ts';
export { proxyFor } from './proxy.ts';
export { ObjectWatch, type WatchTimes } from './watch.ts';
