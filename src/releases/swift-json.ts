import { createWireToJson } from '../codec/index.ts';

/**
 * Messages as JSON for swift's clients. What Tiller sends and swift, made with an older contract, never knew stays out
 * of it, so that its clients get the JSON they had; over gRPC it is there.
 */
export const swiftJson = createWireToJson(new Set(['hapi.release.Hook.delete_timeout']));
