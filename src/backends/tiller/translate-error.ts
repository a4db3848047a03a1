import { Code, codeToReason, GatewayError, type Reason } from '../../protocol/index.ts';

/*
 * Tiller gives every failure status 2 (UNKNOWN) and a text. This is the one place that reads those texts. They are of
 * four origins: Tiller's own, a storage driver's, the API server's, the network's, the latter three often behind words
 * of Tiller. Patterns are for kinds of texts, anchored at the start, behind a marker, or at the end, and linear in time.
 * Source: 109 texts measured on a running 2.17.0 and read in its source (`tiller-errors.jsonl`).
 */

/** What a text means. Where a rule names no reason, its code says it. */
interface Rule {
  readonly pattern: RegExp;
  readonly code: Code;
  readonly reason: Reason | undefined;
}

const means =
  (code: Code, reason?: Reason) =>
  (pattern: RegExp): Rule => ({ pattern, code, reason });

const chartInvalid = means(Code.INVALID_ARGUMENT, 'CHART_INVALID');
const invalid = means(Code.INVALID_ARGUMENT);
const precondition = means(Code.FAILED_PRECONDITION);
const exists = means(Code.ALREADY_EXISTS);
const busy = means(Code.ABORTED);
const late = means(Code.DEADLINE_EXCEEDED);
const forbidden = means(Code.PERMISSION_DENIED);
const unreachable = means(Code.UNAVAILABLE);
const tooLarge = means(Code.RESOURCE_EXHAUSTED, 'RELEASE_TOO_LARGE');
const quota = means(Code.RESOURCE_EXHAUSTED, 'QUOTA_EXCEEDED');
const broken = means(Code.DATA_LOSS, 'UPSTREAM_FAILED');
const noRelease = means(Code.NOT_FOUND, 'RELEASE_NOT_FOUND');
const notFound = means(Code.NOT_FOUND);
const unclear = means(Code.UNKNOWN);

/** Texts that have to be seen whole, since what they hold behind their first words means something else alone. */
const whole: readonly Rule[] = [
  // a chart's templates and values: anything may stand behind these words
  chartInvalid(/^render error in "/),
  chartInvalid(/^rendering template failed: /),
  chartInvalid(/^parse error in "/),
  chartInvalid(/^YAML parse error on /),
  chartInvalid(/^(?:Error: )?Reading chart '/),
  chartInvalid(/^type mismatch on /),
  precondition(/^failed to rebuild old values: /),
  chartInvalid(/^release \S+ failed: no objects visited$/),
  precondition(/^current release manifest contains removed kubernetes api/),
  precondition(/^failed decoding reader into objects: /),
  precondition(/^failed to create resource: the server could not find the requested resource/),
  broken(/^deletion completed with \d+ error\(s\): corrupted release record\./),
  precondition(
    /^deletion completed with \d+ error\(s\): \[?unable to recognize "[^"]*": no matches for kind /,
  ),
  // what a hook or a nameless object of the release met: the caller's request was right, and the release is deleted
  unclear(
    /^deletion completed with \d+ error\(s\): (?:\S+ "[^"]*" already exists(?:$|;)|(?:invalid )?resource name )/,
  ),
  unclear(/^encountered \d+ deletion errors\. /),
];

/** Words of Tiller before the text of another. */
const wrapper =
  /^(?:release \S+ failed: |getting (?:deployed )?release (?:"[^"]*"|'[^']*')(?: \(v\d+\))?: |deletion completed with \d+ error\(s\): |validation failed: |[Ff]ailed to (?:re)?create resource: |failed to create patch: |[Cc]ould not get information about the resource: (?:err: )?|error trying to refresh resource information: |[Cc]ould not get apiVersions from Kubernetes: |\[?unable to recognize "[^"]*": (?!no matches for kind )|(?:warning: )?[Hh]ook \S+ \S+ failed: |rpc error: code = Unknown desc = )/;
const maxWrappers = 4;

/** The API server's words around a text that is not its own. */
const quoted =
  /^an error on the server \("(.*)"\) has prevented the request from succeeding(?: \([^)]*\))?$/s;

/** The text itself, behind words of Tiller. */
const inner: readonly Rule[] = [
  // Tiller's own
  noRelease(/^release: "[^"]*" not found$/),
  noRelease(/^"[^"]*" has no deployed releases$/),
  noRelease(/^no revision for release "[^"]*"$/),
  exists(/^a release named \S+ already exists\./),
  exists(/^release: "[^"]*" already exists$/),
  exists(/^a released? named \S+ is in use, cannot re-use a name that is still in use$/),
  exists(/^the release named "[^"]*" is already deleted$/),
  busy(/^another operation \(install\/upgrade\/rollback\) is in progress/),
  unreachable(/^no available release name found$/),
  invalid(/^release name "[^"]*" exceeds max length of \d+$/),
  invalid(/^invalid release name, must match regex /),
  invalid(/^invalid release revision$/),
  invalid(/^release: "[^"]*" invalid key$/),
  invalid(/^invalid label value: /),
  invalid(/^no (?:chart|release) provided$/),
  invalid(/^(?:offset "[^"]*" not found|no items after "[^"]*"|error parsing regexp: .*)$/s),
  precondition(/^Chart incompatible with Tiller /),
  precondition(/^Chart requires kubernetesVersion: /),
  precondition(/^incompatible versions client\[/),
  late(/^Job failed: DeadlineExceeded/),
  precondition(/^Job failed: /),
  precondition(/^\S+ is not a pod$/),
  precondition(/^No test-success or test-failure hook found$/),
  precondition(/^no objects visited$/),
  broken(/^release info is missing$/),
  chartInvalid(/^proto: field "[^"]*" contains invalid UTF-8$/),
  broken(
    /^(?:illegal base64 data at input byte \d+|gzip: invalid (?:header|checksum)|flate: corrupt input before offset \d+|proto: .*)$/s,
  ),
  chartInvalid(
    /^(?:error converting YAML to JSON: |error unmarshaling JSON: |yaml: |json: cannot unmarshal )/,
  ),
  chartInvalid(/^(?:failed to create two-way merge patch: |error parsing : |YAML parse error on )/),
  chartInvalid(/^(?:unable to build kubernetes objects from \S+ ?release manifest: )?error validating "/),

  // a storage driver's
  busy(/^pq: duplicate key value violates unique constraint "releases_/),
  unreachable(/^pq: (?:the database system is |sorry, too many clients|terminating connection due to )/),
  unreachable(/^pq: (?:remaining connection slots |cannot execute \S+ in a read-only transaction$)/),
  unreachable(/^pq: (?:password authentication failed for |no pg_hba\.conf entry for |SSL is not enabled )/),
  unreachable(/^pq: canceling statement due to conflict with recovery$/),
  late(/^pq: canceling statement due to /),
  busy(/^pq: (?:deadlock detected|could not serialize access )/),
  quota(/^pq: (?:could not (?:extend|write to) file ".{1,300}: No space left on device$|disk full)/),
  unreachable(/^(?:driver: bad connection|sql: database is closed)$/),
  tooLarge(
    /^(?:Internal error occurred: )?(?:rpc error: code = \w+ desc = )?etcdserver: request is too large$/,
  ),
  quota(
    /^(?:Internal error occurred: )?(?:rpc error: code = \w+ desc = )?etcdserver: mvcc: database space exceeded$/,
  ),
  unreachable(/^(?:Internal error occurred: )?(?:rpc error: code = \w+ desc = )?etcdserver: /),
  tooLarge(/^rpc error: code = ResourceExhausted desc = .*message larger than max /),
  quota(/^rpc error: code = ResourceExhausted desc = /),
  unreachable(/^rpc error: code = Unavailable desc = /),
  late(/^rpc error: code = DeadlineExceeded desc = /),

  // the API server's
  unreachable(/^Unauthorized$/),
  unreachable(/^unable to retrieve the complete list of server APIs: /),
  unreachable(/^(?:Too many requests: )?Too many requests, please try again later\.$/),
  unreachable(/^apiserver is shutting down$/),
  late(/^Internal error occurred: resource quota evaluat\w+ time(?:d |)out$/),
  // a webhook's call, where nobody takes it; how else it ends is the network's
  unreachable(
    /^(?:Internal error occurred: failed calling (?:admission )?webhook "[^"]*": |conversion webhook for .{1,300} failed: )(?:Post "?[^ "]{1,1000}"?: )?(?:service "[^"]*" not found|no endpoints available for service "[^"]*"|the server (?:could not find the requested resource|is currently unable to handle the request))$/,
  ),
  unreachable(/^the server has asked for the client to provide credentials/),
  tooLarge(/^Request entity too large: limit is \d+$/),
  tooLarge(/^the server responded with the status code 413 /),
  unreachable(/^the server responded with the status code (?:429|50[234]) /),
  unreachable(/^the server (?:is currently unable to handle the request|has received too many requests)/),
  late(/^the server was unable to return a response in the time allotted/),
  late(/^Timeout: request did not complete within /),
  precondition(/^the server (?:could not find|does not allow this method on) the requested resource/),
  precondition(/^the body of the request was in an unknown format /),
  invalid(/^the server rejected our request due to an error in our request/),
  unreachable(/^unexpected error when reading response body\. /),
  unreachable(/^serializer for \S+ doesn't exist$/),
  unreachable(/^watch closed before UntilWithoutRetry timeout$/),
  forbidden(/^admission webhook "[^"]*" denied the request(?:: | without explanation$|$)/),
  exists(/^kind \S+ with the name "[^"]*" in "[^"]*" already exists in the cluster and /),
  exists(/^naming conflict detected for CRD /),
  exists(/^(?:object is being deleted: )?(?:[a-z0-9.-]+ "[^"]*"|resource) already exists$/),
  busy(/^Operation cannot be fulfilled on /),
  notFound(/^[a-z0-9.-]+ "[^"]*" not found$/),
  chartInvalid(/^\S+ in version "[^"]*" cannot be handled as a /),
  chartInvalid(/^unable to (?:decode "|convert to CRD type: )/),
  invalid(/^(?:resource name may not be empty$|invalid resource name "|name or generateName is required)/),
  invalid(/^(?:an empty namespace may not be set |the namespace (?:from|of) the provided object )/),
];

/** Behind ` is forbidden: `, which the API server says of much that is no matter of rights. */
const forbiddenFor: readonly Rule[] = [
  quota(/^exceeded quota: /),
  chartInvalid(/^failed quota: /),
  chartInvalid(/^\[?(?:(?:maximum|minimum) \S+ usage|\S+ max limit to request ratio) per /),
  precondition(/^unable to create new content in namespace \S+ because it is being terminated/),
  precondition(/^error looking up service account /),
  precondition(/^no PriorityClass with name /),
  forbidden(/^/),
];

/** Behind ` is invalid: `: what the object in the cluster does not let change, and what can never be right. */
const invalidFor: readonly Rule[] = [
  tooLarge(/^(?:\[\]|data): Too long: must have at most \d+ (?:characters|bytes)$/),
  precondition(/(?:field is immutable|may not change once set)[\])]*$/),
  precondition(/^spec: Forbidden: updates to statefulset spec for fields other than /),
  chartInvalid(/^/),
];

/** At the end: how a request of Tiller to the API server, a database or a webhook ended. */
const atTheEnd: readonly Rule[] = [
  late(/(?:^|: |desc = )context deadline exceeded(?: \(Client\.Timeout [^)]*\))?$/),
  late(/(?:^|: )net\/http: request canceled[^:]{0,50}(?: \(Client\.Timeout [^)]*\))?$/),
  late(/(?:^|: )net\/http: timeout awaiting response headers$/),
  late(/(?:^|: )timed out waiting for the condition$/),
  unreachable(/(?:^|[: ])dial (?:tcp|udp|unix)[: ][^\n]{1,500}$/),
  late(/(?:^|: )i\/o timeout$/),
  unreachable(/(?:^|: )(?:connection (?:refused|reset by peer|timed out)|no route to host|host is down)$/),
  unreachable(/(?:^|: )(?:network is unreachable|no such host|server misbehaving|broken pipe)$/),
  unreachable(/(?:^|: )(?:Temporary failure in name resolution|net\/http: TLS handshake timeout)$/),
  late(/(?:^|: )http2: timeout awaiting response headers$/),
  unreachable(/(?:^|: )http2: [^:\n]{1,200}$/),
  unreachable(/(?:^|: )(?:stream error: stream ID \d+; |connection error: )[A-Z_]+(?:; [^:\n]{1,200})?$/),
  unreachable(/(?:^|: )net\/http: HTTP\/1\.x transport connection broken: [^\n]{1,300}$/),
  unreachable(/(?:^|: )(?:use of closed network connection|transport is closing)$/),
  unreachable(/(?:^|: )http: server (?:closed idle connection|gave HTTP response to HTTPS client)$/),
  unreachable(/(?:^|: )(?:unexpected )?EOF$/),
  unreachable(/(?:^|: )malformed HTTP (?:response|status code|version) "[^\n]{0,300}"$/),
  // a proxy's answer, in place of the API server's
  unreachable(
    /(?:^|: )(?:Get|Post|Put|Patch|Delete) "?https?:[^ "]{1,1000}"?: (?:Bad Gateway|Forbidden|Gateway Timeout|Proxy Authentication Required|Service Unavailable)$/,
  ),
  unreachable(/(?:^|: )(?:x509|tls): [^:]{1,300}(?:: [^:]{1,300})?$/),
];

/** Of Tiller's texts with a status of their own, the one that HTTP has a more exact status for. */
const requestTooLarge = /^grpc: received message larger than max /;

/** How much of a text is looked at: a render error can carry a whole manifest behind its first words. */
const maxLookedAt = 4096;

/** What is known of the call that failed: the same words mean different things. */
export interface FailedCall {
  readonly method?: string | undefined;
  /** Whether the request names a release. */
  readonly named?: boolean | undefined;
}

/**
 * What Tiller's text means.
 * @param code the status that came with it; any other than UNKNOWN is Tiller's or the connection's own and stays
 */
export function translateTillerError(
  code: Code,
  message: string,
  call: FailedCall = {},
): Pick<GatewayError, 'code' | 'reason'> {
  if (code === Code.RESOURCE_EXHAUSTED && requestTooLarge.test(message))
    return { code, reason: 'BODY_TOO_LARGE' };
  if (code !== Code.UNKNOWN) return { code, reason: codeToReason(code) };
  const rule = ruleOf(message, call);
  return { code: rule?.code ?? code, reason: rule?.reason ?? codeToReason(rule?.code ?? code) };
}

/** A call's failure with the code that Tiller's text means. Failures of a step on the path to Tiller stay. */
export function translateFailure(error: unknown, call?: FailedCall): GatewayError {
  const failure = GatewayError.from(error);
  if (failure.step !== undefined) return failure;
  const { code, reason } = translateTillerError(failure.code, failure.message, call);
  if (code === failure.code && !(code === Code.RESOURCE_EXHAUSTED && reason !== failure.reason))
    return failure;
  return new GatewayError(code, failure.message, { reason, cause: failure });
}

/**
 * Whether Tiller refused a write because of another, or of what is stored already, so that it has begun nothing: such a
 * text may come while the other write's revision is there.
 */
export function saysNothingBegan(message: string): boolean {
  return /^(?:another operation |a released? named \S+ (?:already exists|is in use)|release: "[^"]*" already exists$)/.test(
    message,
  );
}

/** The first rule that matches decides. */
function ruleOf(message: string, { method, named = false }: FailedCall): Rule | undefined {
  const head = message.slice(0, maxLookedAt);
  if (method === 'UninstallRelease' && named && head === 'no release provided') return noRelease(/^/);
  const seenWhole = matching(whole, head);
  if (seenWhole) return seenWhole;
  let text = head;
  for (let count = 0; count < maxWrappers; count++) text = text.replace(wrapper, '').replace(quoted, '$1');
  return (
    firstOf(text, method) ??
    matching(inner, text) ??
    behindMarker(text) ??
    matching(atTheEnd, message.length > maxLookedAt ? message.slice(-maxLookedAt) : text) ??
    kindMissing(text, method) ??
    (head.startsWith('validation failed: ') || head.startsWith('failed to create patch: ')
      ? chartInvalid(/^/)
      : undefined)
  );
}

/** A kind that the cluster does not have: the chart asks for it, or a stored release, which has to be seen to first. */
function kindMissing(text: string, method: string | undefined): Rule | undefined {
  if (!/^(?:\[?unable to recognize "[^"]*": )?no matches for kind "/.test(text)) return undefined;
  return method === 'GetReleaseStatus' ? precondition(/^/) : chartInvalid(/^/);
}

/** An upgrade joins what each object of it met, outside of quotes: the first that is understood here decides. */
function firstOf(text: string, method: string | undefined): Rule | undefined {
  const first = /^[^"&]*(?:"[^"]*"[^"&]*)*(?= && )/.exec(text)?.[0];
  return first === undefined ? undefined : ruleOf(first, { method });
}

function matching(rules: readonly Rule[], text: string): Rule | undefined {
  return rules.find(({ pattern }) => pattern.test(text));
}

/** The API server's words behind the first ` is forbidden: ` or ` is invalid: `: it may quote the other one. */
function behindMarker(text: string): Rule | undefined {
  const marker = / is (forbidden|invalid): /.exec(text);
  if (!marker) return undefined;
  const rules = marker[1] === 'forbidden' ? forbiddenFor : invalidFor;
  return matching(rules, text.slice(marker.index + marker[0].length));
}
