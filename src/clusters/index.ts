export type { KubeconfigSource } from './access/read-kubeconfig.ts';
export type { Connector, TillerStream } from './connector.ts';
export { createDirectConnector, type DirectOptions } from './direct.ts';
export { parseEndpoint } from './endpoint.ts';
export { createInclusterConnector, type InclusterConnectorOptions } from './incluster.ts';
export { createKubeconfigConnector, type KubeconfigConnectorOptions } from './kubeconfig.ts';
