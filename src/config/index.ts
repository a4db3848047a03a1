export { type Config, type LoadedConfig, loadConfig, servesClusters } from './config.ts';
export { allOptions, optionGroups, type PlacedOption } from './options.ts';
export { environmentName } from './read-settings.ts';
export { defaultText, flagUsage, formatConfig, helpText, sentenceOf } from './show-options.ts';
export { formatListenAddress, masked, maskUrlCredentials } from './units.ts';
