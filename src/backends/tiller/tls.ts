import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect, type SecureContextOptions, type TLSSocket } from 'node:tls';
import { GatewayError, invalidArgument, unavailable } from '../../protocol/index.ts';

/** TLS to Tiller, as the `--tiller-*` flags say. */
export interface TillerTls {
  /** PEM certificates to trust, in place of the system's. */
  readonly ca?: string;
  /** PEM client certificate and its key. */
  readonly cert?: string;
  readonly key?: string;
  /** Encrypt, but accept any certificate. Skips verification, never encryption. */
  readonly insecureSkipVerify: boolean;
}

export interface TillerTlsFiles {
  readonly caFile?: string | undefined;
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
  readonly insecureSkipVerify: boolean;
  /** True where the endpoint itself asks for TLS (`https://`, `tls://`). */
  readonly endpointIsTls: boolean;
}

/**
 * Reads the files that the flags name. Plain connections, which is how Tiller runs by default, when nothing asks for TLS.
 * @throws GatewayError INVALID_ARGUMENT naming the file that cannot be read, or the half of a pair that is missing
 */
export function readTillerTls(files: TillerTlsFiles): TillerTls | undefined {
  const { caFile, certFile, keyFile, insecureSkipVerify, endpointIsTls } = files;
  if (!caFile && !certFile && !keyFile && !endpointIsTls) return undefined;
  if (Boolean(certFile) !== Boolean(keyFile)) {
    throw invalidArgument('--tiller-client-cert-file and --tiller-client-private-key-file belong together');
  }
  return {
    insecureSkipVerify,
    ...(caFile && { ca: readPem('--tiller-ca-file', caFile) }),
    ...(certFile && { cert: readPem('--tiller-client-cert-file', certFile) }),
    ...(keyFile && { key: readPem('--tiller-client-private-key-file', keyFile) }),
  };
}

function readPem(flag: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw invalidArgument(`${flag}: cannot read ${file}`, { cause });
  }
}

/**
 * Puts TLS on a stream and waits until it stands.
 * @param host the name that the certificate has to carry
 * @throws GatewayError UNAVAILABLE with the reason, such as a certificate that is not trusted
 */
export async function startTls(
  stream: Duplex,
  host: string,
  tls: TillerTls,
  signal: AbortSignal,
): Promise<TLSSocket> {
  const { ca, cert, key, insecureSkipVerify } = tls;
  const context: SecureContextOptions = { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) };
  const socket = connect({
    ...context,
    ...(isIP(host) === 0 && { servername: host }),
    host,
    socket: stream,
    ALPNProtocols: ['h2'],
    rejectUnauthorized: !insecureSkipVerify,
  });
  try {
    await once(socket, 'secureConnect', { signal });
    return socket;
  } catch (cause) {
    socket.destroy();
    if (signal.aborted) throw GatewayError.from(signal.reason);
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw unavailable(`the TLS handshake with Tiller at ${host} failed: ${reason}`, { cause });
  }
}
