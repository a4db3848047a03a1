import { readFile, stat } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { invalidArgument } from '../protocol/index.ts';
import type { ListenerLog, TlsOptions } from './options.ts';

/** A bundle of every public CA has some 200 KiB. */
const maxFileBytes = 4 * 1024 * 1024;
const defaultReloadIntervalMs = 10_000;

/** The contents of the files, in PEM. */
export interface TlsMaterial {
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly ca?: Buffer;
}

/**
 * Reads the files.
 * @throws GatewayError INVALID_ARGUMENT with the file that cannot be read, or the reason why the files do not match
 */
export async function readTlsFiles(options: TlsOptions): Promise<TlsMaterial> {
  const material = {
    cert: await readPem(options.certFile),
    key: await readPem(options.privateKeyFile),
    ...(options.caFile === undefined ? {} : { ca: await readPem(options.caFile) }),
  };
  try {
    createSecureContext(material);
  } catch (error) {
    const files = [options.certFile, options.privateKeyFile, options.caFile].filter(
      file => file !== undefined,
    );
    // OpenSSL's reason only: "key values mismatch", "no start line"; never what is in the files
    const reason = (error as { reason?: string }).reason ?? 'not PEM that TLS can use';
    throw invalidArgument(`${files.join(', ')}: ${reason}`, { cause: error });
  }
  return material;
}

/**
 * Reads the files again at every interval, and calls `onChange` when they have changed and match each other.
 * Contents are compared, not times, because Kubernetes swaps a symbolic link above the files. Files that do not match
 * (a certificate whose key is not written yet) are logged once, and the old ones stay in use.
 * @returns a function that ends the watch
 */
export function watchTlsFiles(
  options: TlsOptions,
  first: TlsMaterial,
  onChange: (material: TlsMaterial) => void,
  log: ListenerLog,
): () => void {
  const intervalMs = options.reloadIntervalMs ?? defaultReloadIntervalMs;
  let current = first;
  let lastReason = '';
  let stopped = false;
  const look = async () => {
    try {
      const material = await readTlsFiles(options);
      lastReason = '';
      if (!stopped && !same(material, current)) {
        onChange(material);
        current = material;
        log('info', 'TLS certificate reloaded', { file: options.certFile });
      }
    } catch (error) {
      const reason = (error as Error).message;
      if (reason !== lastReason) log('warn', 'TLS certificate not reloaded, the old one stays', { reason });
      lastReason = reason;
    }
    if (!stopped) timer = setTimeout(look, intervalMs).unref();
  };
  let timer = setTimeout(look, intervalMs).unref();
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}

async function readPem(file: string): Promise<Buffer> {
  try {
    if ((await stat(file)).size > maxFileBytes)
      throw invalidArgument(`${file}: larger than ${maxFileBytes} bytes`);
    return await readFile(file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (typeof code !== 'string') throw error;
    throw invalidArgument(`${file}: cannot be read: ${code}`, { cause: error });
  }
}

function same(a: TlsMaterial, b: TlsMaterial): boolean {
  return (
    a.cert.equals(b.cert) && a.key.equals(b.key) && (a.ca === b.ca || Boolean(b.ca && a.ca?.equals(b.ca)))
  );
}
