import { readFileSync } from 'node:fs';
import { checkServerIdentity } from 'node:tls';
import { type ChannelCredentials, credentials } from '@grpc/grpc-js';
import { invalidArgument } from '../../protocol/index.ts';

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
 * @throws GatewayError INVALID_ARGUMENT with the file that cannot be read, or the half of a pair that is missing
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
 * The credentials of a channel.
 * @param host gives the name that Tiller's certificate has to carry, asked at each handshake
 * @throws GatewayError INVALID_ARGUMENT for certificates and keys that cannot be used
 */
export function channelCredentials(tls: TillerTls | undefined, host: () => string): ChannelCredentials {
  if (!tls) return credentials.createInsecure();
  const bytes = (pem: string | undefined) => (pem === undefined ? null : Buffer.from(pem));
  try {
    return credentials.createSsl(bytes(tls.ca), bytes(tls.key), bytes(tls.cert), {
      rejectUnauthorized: !tls.insecureSkipVerify,
      checkServerIdentity: (_target, certificate) => checkServerIdentity(host(), certificate),
    });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw invalidArgument(`the certificates for TLS to Tiller cannot be used: ${reason}`, { cause });
  }
}
