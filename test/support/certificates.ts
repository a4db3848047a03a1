import {
  createAuthority as createSandboxAuthority,
  createServerCertificate,
  type KeyedCertificate,
  type ServerCertificate,
} from '../../src/sandbox/kubernetes/certificate.ts';

export type { KeyedCertificate };

/** A certificate authority for one test. */
export interface Authority {
  readonly ca: string;
  /** A certificate for `localhost`, 127.0.0.1 and further names, good for servers and for clients. */
  issue(commonName: string, names?: readonly string[]): KeyedCertificate;
}

const hourMs = 3_600_000;

let serverCertificate: ServerCertificate | undefined;

/** Of sandbox clusters, one for the whole process. */
export function sharedCertificate(): ServerCertificate {
  serverCertificate ??= createServerCertificate();
  return serverCertificate;
}

export function createAuthority(name: string): Authority {
  const { ca, issue } = createSandboxAuthority(name, hourMs);
  return {
    ca,
    issue: (commonName, names = []) =>
      issue({
        commonName,
        validityMs: hourMs,
        forClients: true,
        dnsNames: ['localhost', ...names],
        ips: [[127, 0, 0, 1]],
      }),
  };
}
