export { TillerClient, type TillerClientOptions, type TillerMethod } from './client.ts';
export type { Connection } from './connection.ts';
export { readTillerTls, type TillerTls, type TillerTlsFiles } from './tls.ts';
export { translateTillerCode } from './translate-error.ts';
