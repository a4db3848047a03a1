export { type Config, type LoadedConfig, loadConfig, servesClusters } from './config.ts';
export { allOptions, type PlacedOption } from './options.ts';
export { environmentName } from './read-settings.ts';
export { boundsTable, flagTables, formatConfig, helpText } from './show-options.ts';
export { formatListenAddress, type ListenAddress, masked, maskUrlCredentials } from './units.ts';
