export { type Config, servesClusters } from './config.ts';
export { helpText } from './help.ts';
export type { ListenAddress } from './listen-address.ts';
export { formatListenAddress } from './listen-address.ts';
export { type ConfigSources, loadConfig } from './load-config.ts';
export { masked, maskUrlCredentials } from './mask.ts';
export { formatConfig } from './print-config.ts';
