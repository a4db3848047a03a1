import { bytes, choice, duration, flag, integer, list, listenAddress, path } from './option.ts';

/** Actions of the command other than serving, and the configuration file. */
export const programOptions = {
  help: flag('help', 'Print this text and exit.', { aliases: ['h'], flagOnly: true }),
  version: flag('version', 'Print the version and exit.', { flagOnly: true }),
  printConfig: flag(
    'print-config',
    'Print the configuration that flags, environment and file add up to, with secrets masked, and exit.',
    { flagOnly: true },
  ),
  healthCheck: choice(
    'health-check',
    'Ask the gateway that runs with the same configuration whether it is alive or ready, print the reason, and exit with 0 or 1.',
    ['live', 'ready'],
    { flagOnly: true },
  ),
  config: path(
    'config',
    'A YAML file of options by their flag names; flags and the environment override it.',
  ),
};

/** The addresses to listen on, and the time limits of a connection. */
export const listenerOptions = {
  addr: listenAddress(
    'addr',
    'Address for HTTP/JSON and gRPC without TLS and, with a certificate, also with TLS.',
    {
      aliases: ['plaintext-addr'],
      defaultWords: ':9855 (every address) in a Kubernetes pod, else 127.0.0.1:9855',
    },
  ),
  secureAddr: listenAddress('secure-addr', 'A second address, for TLS only.', {
    needs: ['certificate'],
    lenient: true,
  }),
  probeAddr: listenAddress(
    'probe-addr',
    'A further address, without TLS, that answers GET /healthz, /readyz and /metrics and nothing else, with connections of its own: probes are answered there however many clients are connected to --addr.',
  ),
  drainTimeoutMs: duration(
    'drain-timeout',
    'Time for requests in progress to finish after SIGTERM; then they are cut off.',
    {
      // within Kubernetes' default terminationGracePeriodSeconds of 30
      default: '25s',
      range: ['0s', '1h'],
    },
  ),
  firstByteTimeoutMs: duration(
    'first-byte-timeout',
    'Time limit for the first byte of a new connection, and for its TLS handshake.',
    { default: '10s', range: ['100ms', '5m'] },
  ),
  headerTimeoutMs: duration(
    'header-timeout',
    "Time limit for the header of an HTTP/1.1 request, from the start of the connection or the header's first byte.",
    { default: '20s', range: ['100ms', '5m'] },
  ),
  requestTimeoutMs: duration(
    'request-timeout',
    'Time limit for a request to arrive with its body; the response has none.',
    { default: '5m', range: ['1s', '1h'] },
  ),
  idleTimeoutMs: duration('idle-timeout', 'Time after which a connection without a request is closed.', {
    // longer than the 90 s of Go's HTTP clients (the API server's proxy among them), so that they close first
    default: '3m',
    range: ['1s', '24h'],
  }),
};

/** TLS to clients. The files are watched: a new certificate is used without a restart. */
export const tlsOptions = {
  certFile: path('tls-cert-file', 'Certificate chain (PEM) of the gateway; switches TLS on.', {
    needs: ['private-key'],
  }),
  privateKeyFile: path('tls-private-key-file', "The certificate's private key (PEM).", {
    needs: ['certificate'],
  }),
  caFile: path('tls-ca-file', "CA certificates (PEM) that verify clients' certificates.", {
    needs: ['certificate', 'client-verification'],
  }),
  clientAuth: choice(
    'tls-client-auth',
    'Whether clients present a certificate. One that is presented is always verified; with `required`, a connection without one may only GET /healthz and /readyz.',
    ['none', 'optional', 'required'],
    { needs: ['client-ca'], off: 'none', defaultWords: 'optional with --tls-ca-file, else none' },
  ),
  only: flag('tls-only', 'Refuse connections without TLS on --addr too.', { needs: ['certificate'] }),
};

export const limitOptions = {
  maxConnections: integer(
    'max-connections',
    'Maximum of open connections on all addresses together. Past it a further one takes the place of the oldest that has sent no whole request yet, else of one that is idle; where all are busy it is closed at once.',
    { default: '4096', range: [1, 1_000_000] },
  ),
  maxStreams: integer('max-streams', 'Maximum of concurrent requests on one HTTP/2 connection.', {
    default: '256',
    range: [1, 100_000],
  }),
  maxHeaderBytes: bytes('max-header', "Maximum size of a request's header; a larger one is answered 431.", {
    default: '32KiB',
    range: ['1KiB', '1MiB'],
  }),
  maxBodyBytes: bytes('body-limit', "Maximum size of an HTTP request's body; a larger one is answered 413.", {
    default: '32MiB',
    range: ['1KiB', '1GiB'],
  }),
  maxMessageBytes: bytes(
    'message-limit',
    'Maximum size of a gRPC message from a client or from Tiller, whose own limit is 20 MiB.',
    { default: '32MiB', range: ['1KiB', '1GiB'] },
  ),
  inFlightBytes: bytes(
    'in-flight-limit',
    'Maximum size of all request bodies that are arriving (half of it), replies that are arriving and answers that are not sent yet, together; past it large requests are answered 503 with Retry-After. What the threads for large requests hold comes on top.',
    {
      // the manifests give 768 MiB, threads included, and a message is in memory up to three times while it is made into another
      default: '96MiB',
      range: ['1MiB', '64GiB'],
    },
  ),
};

export const restOptions = {
  showSecrets: flag(
    'show-secrets',
    'Show the data of Secrets where revisions of releases are compared (over gRPC too); without it a changed key is named, and its value masked.',
  ),
  disableGetRollback: flag('disable-get-rollback', "Refuse swift's rollback by GET; POST and PUT remain."),
  allowedHosts: list(
    'allowed-hosts',
    'Names that clients call this gateway by, for requests with another Host are refused with 421; *.example.com is every name below, * any. Addresses, localhost, the names in the certificate, and in a pod those of its Service and of the API server need not be named.',
    { placeholder: 'HOST' },
    {
      pattern: /^(?:\*|(?:\*\.)?[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?)$/,
      expected: 'a name without a port, or *',
    },
  ),
  enableCors: flag('enable-cors', 'Allow pages of other origins to call the API (CORS).'),
  corsOriginHosts: list(
    'cors-origin-host',
    'Hosts whose pages may call the API, with the port if it is not the default one; * is any host.',
    { needs: ['cors'], placeholder: 'HOST[:PORT]', default: '*' },
    {
      pattern: /^(?:\*|[A-Za-z0-9.-]+(?::\d{1,5})?|\[[0-9a-fA-F:.]+\](?::\d{1,5})?)$/,
      expected: 'host[:port] or *',
    },
  ),
  corsOriginAllowSubdomain: flag(
    'cors-origin-allow-subdomain',
    'Also allow pages of subdomains of these hosts.',
    { needs: ['cors', 'cors-hosts'] },
  ),
};

/** Other APIs over the same releases and charts. */
export const dialectOptions = {
  names: list(
    'dialects',
    "Further APIs to serve: helm-wrapper is that of opskumu's helm-wrapper, at /api (docs/helm-wrapper.md).",
    { placeholder: 'helm-wrapper' },
    { pattern: /^helm-wrapper$/, expected: 'helm-wrapper' },
  ),
  compat: choice(
    'compat',
    "Take helm-wrapper's flags (--addr HOST --port N --config FILE --kubeconfig FILE --kube-context NAME) in place of the ones of the same names here, and serve its API; the same where the command is called helm-wrapper.",
    ['helm-wrapper'],
  ),
  helmWrapperConfig: path(
    'helm-wrapper-config',
    'A configuration file of helm-wrapper: its uploadPath, helmRepos and helmRegistries count beside the flags for charts.',
    { needs: ['helm-wrapper'] },
  ),
};

export const liveOptions = {
  maxStreams: integer(
    'max-watchers',
    'Maximum of open streams of changes; further ones are answered 429. A stream over many clusters counts once for each.',
    { default: '2000', range: [1, 1_000_000] },
  ),
  heartbeatMs: duration(
    'watch-heartbeat',
    'Time without an event after which a stream of changes gets a heartbeat.',
    // load balancers cut a connection that is silent for a minute
    { default: '15s', range: ['100ms', '10m'] },
  ),
  backlogBytes: bytes(
    'watch-backlog',
    "Memory for the latest changes of a cluster's releases: how far a client may fall behind before it is cut off, and how long it may be away before it gets a new snapshot.",
    { default: '16MiB', range: ['64KiB', '4GiB'] },
  ),
};

export const observeOptions = {
  logLevel: choice('log-level', 'Minimum level to log.', ['error', 'warn', 'info', 'debug'], {
    defaultWords: 'info, or debug with --v=4 or more',
  }),
  logFormat: choice('log-format', 'One JSON object per line, or text.', ['json', 'text'], {
    defaultWords: 'text on a terminal, else json',
  }),
  accessLog: flag(
    'access-log',
    'Log a line for every request; when off, only for failures of the gateway, Tiller or Kubernetes.',
    { default: 'true' },
  ),
  logRpc: flag(
    'log-rpc',
    'Log the messages of every call, shortened, with passwords, tokens, keys and values masked.',
  ),
};
