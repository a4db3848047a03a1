import type { GatewayError } from '../protocol/index.ts';

/** Is shown the messages of the calls that are passed through, uncompressed. It must not throw. */
export interface MessageTap {
  request(path: string, message: Buffer): void;
  reply(path: string, message: Buffer): void;
  failed(path: string, error: GatewayError): void;
}
