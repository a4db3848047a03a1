import { choice, flag, path } from '../option.ts';

/** TLS towards clients. The files are watched: a new certificate is taken without a restart. */
export const tlsOptions = {
  certFile: path({
    flag: 'tls-cert-file',
    summary: 'Certificate chain (PEM) that clients see; switches TLS on.',
  }),
  privateKeyFile: path({ flag: 'tls-private-key-file', summary: "The certificate's private key (PEM)." }),
  caFile: path({
    flag: 'tls-ca-file',
    summary: "CA certificates (PEM) against which clients' certificates are verified.",
  }),
  clientAuth: choice(
    {
      flag: 'tls-client-auth',
      summary:
        'Whether clients show a certificate: one that is shown is always verified; with `required`, a connection without one reaches /healthz and /readyz only.',
      defaultWords: 'optional with --tls-ca-file, else none',
    },
    ['none', 'optional', 'required'],
  ),
  only: flag({ flag: 'tls-only', summary: 'Refuse connections without TLS on --addr too.' }),
};
