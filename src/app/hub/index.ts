export { createHub, type Hub } from './hub.ts';
export type { HubOptions } from './options.ts';
