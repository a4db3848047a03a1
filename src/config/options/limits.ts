import { bytes, integer } from '../option.ts';

/** What one client can make the gateway hold. */
export const limitOptions = {
  maxConnections: integer(
    {
      flag: 'max-connections',
      summary: 'Open connections over all addresses; more are closed at once.',
      default: '4096',
    },
    { min: 1, max: 1_000_000 },
  ),
  maxStreams: integer(
    {
      flag: 'max-streams',
      summary: 'Requests at once on one HTTP/2 connection.',
      default: '256',
    },
    { min: 1, max: 100_000 },
  ),
  maxHeaderBytes: bytes(
    { flag: 'max-header', summary: "A request's header; a larger one is answered 431.", default: '32KiB' },
    { min: '1KiB', max: '1MiB' },
  ),
  maxBodyBytes: bytes(
    { flag: 'body-limit', summary: "A JSON request's body; a larger one is answered 413.", default: '32MiB' },
    { min: '1KiB', max: '1GiB' },
  ),
  maxMessageBytes: bytes(
    {
      flag: 'message-limit',
      summary: 'A gRPC message from a client or from Tiller, which itself takes and sends up to 20 MiB.',
      default: '32MiB',
    },
    { min: '1KiB', max: '1GiB' },
  ),
};
