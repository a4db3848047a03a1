export { outcomeOf } from './call.ts';
export { TillerClient, type TillerClientOptions } from './client.ts';
export type { OpenConnection } from './connection.ts';
export { type TillerMethod, tillerService } from './methods.ts';
export { readTillerTls, type TillerTls, type TillerTlsFiles } from './tls.ts';
export { saysNothingBegan, translateTillerError } from './translate-error.ts';
