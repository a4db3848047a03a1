import { duration, listenAddress } from '../option.ts';

/** The one port, and how long a connection may take for what. */
export const listenerOptions = {
  addr: listenAddress({
    flag: 'addr',
    aliases: ['plaintext-addr'],
    summary: 'Where HTTP/JSON and gRPC are served, without TLS and, once a certificate is given, with it.',
    defaultWords: ':9855, or 127.0.0.1:9855 with the sandbox',
  }),
  secureAddr: listenAddress({
    flag: 'secure-addr',
    summary: 'A second address that takes TLS only; needs a certificate.',
  }),
  drainTimeoutMs: duration(
    {
      flag: 'drain-timeout',
      summary: 'How long requests under way may take to finish after SIGTERM before they are cut off.',
      // within Kubernetes' default terminationGracePeriodSeconds of 30
      default: '25s',
    },
    { min: '0s', max: '1h' },
  ),
  firstByteTimeoutMs: duration(
    {
      flag: 'first-byte-timeout',
      summary: 'How long a new connection may stay silent, and how long its TLS handshake may take.',
      default: '10s',
    },
    { min: '100ms', max: '5m' },
  ),
  headerTimeoutMs: duration(
    {
      flag: 'header-timeout',
      summary:
        "How long the header of an HTTP/1.1 request may take to arrive, from the connection's start or its first byte.",
      default: '20s',
    },
    { min: '100ms', max: '5m' },
  ),
  requestTimeoutMs: duration(
    {
      flag: 'request-timeout',
      summary:
        'How long a request may take to arrive, body included; the answer may take as long as it needs.',
      default: '5m',
    },
    { min: '1s', max: '1h' },
  ),
  idleTimeoutMs: duration(
    {
      flag: 'idle-timeout',
      summary: 'How long a connection without a request is kept open.',
      // longer than the 90 s of Go's HTTP clients (the API server's proxy among them), so that they close first
      default: '3m',
    },
    { min: '1s', max: '24h' },
  ),
};
