export { createHub, type Hub } from './hub.ts';
export type { HubLog, HubOptions } from './options.ts';
