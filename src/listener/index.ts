export { type ConnectionCounts, createListener, type Listener } from './listener.ts';
export type { Fronts, ListenerLog, ListenerOptions, ListenTarget, TlsOptions } from './options.ts';
