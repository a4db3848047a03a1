export { createListener, type Listener } from './listener.ts';
export type { Fronts, ListenerOptions, TlsOptions } from './options.ts';
