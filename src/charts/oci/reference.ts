import { invalidArgument } from '../../protocol/index.ts';

/** Where a chart is in an OCI registry. */
export interface OciReference {
  /** With its port, where it has one. */
  readonly host: string;
  /** Path of the repository in the registry. */
  readonly repository: string;
  /** As the registry has it: `_` stands for the `+` of a version, which no tag may have. */
  readonly tag: string | undefined;
  /** A range of versions whose newest is meant; undefined where a tag or a digest says which. */
  readonly range: string | undefined;
  /** `sha256:…` of the manifest. */
  readonly digest: string | undefined;
}

const maxChars = 1024;
/** https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pulling-manifests */
const repositoryPattern =
  /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const tagPattern = /^\w[\w.-]{0,127}$/;
const hostPattern = /^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/;
export const digestPattern = /^sha256:[0-9a-f]{64}$/;
const maxRepositoryChars = 255;

/** Docker Hub answers under another name than the one that it is called by. */
const aliases: Readonly<Record<string, string>> = {
  'docker.io': 'registry-1.docker.io',
  'index.docker.io': 'registry-1.docker.io',
};

/** A registry as it is asked. @throws GatewayError INVALID_ARGUMENT when it is no host */
export function registryHost(text: string): string {
  if (!hostPattern.test(text)) throw invalidArgument('an OCI registry must be HOST or HOST:PORT');
  const host = text.toLowerCase();
  return aliases[host] ?? host;
}

/**
 * Reads `oci://HOST/REPO`, `…:TAG`, `…:RANGE`, `…@sha256:…`. A `+` in the tag is read as the `_` that it is stored as.
 * @throws GatewayError INVALID_ARGUMENT, which repeats nothing of what may be a password
 */
export function parseOciReference(text: string): OciReference {
  if (text.length > maxChars) throw wrong(`longer than ${maxChars} characters`);
  const [, host = '', path = ''] = /^oci:\/\/([^/]*)\/(.*)$/is.exec(text) ?? [];
  if (host.includes('@')) throw wrong('it has user info: give username and password as fields of their own');
  if (!hostPattern.test(host)) throw wrong('it has no host');
  const at = path.indexOf('@');
  const digest = at < 0 ? undefined : path.slice(at + 1);
  if (digest !== undefined && !digestPattern.test(digest)) {
    throw wrong('a digest is sha256: and 64 hexadecimal digits');
  }
  const named = at < 0 ? path : path.slice(0, at);
  const colon = named.indexOf(':');
  const repository = colon < 0 ? named : named.slice(0, colon);
  if (!repositoryPattern.test(repository) || repository.length > maxRepositoryChars) {
    throw wrong('it has no repository of lower-case letters, digits and separators');
  }
  const label = colon < 0 ? undefined : named.slice(colon + 1);
  const tag = label?.replaceAll('+', '_');
  const isTag = tag !== undefined && tagPattern.test(tag);
  if (label === '' || (digest !== undefined && label !== undefined && !isTag)) throw wrong('it has no tag');
  return {
    host: registryHost(host),
    repository,
    tag: isTag ? tag : undefined,
    range: digest === undefined && !isTag ? (label ?? '') : undefined,
    digest,
  };
}

/** The text of a reference, for messages. */
export function showReference({ host, repository, tag, range, digest }: OciReference): string {
  const label = tag ?? range ?? '';
  return `oci://${host}/${repository}${label && `:${label.slice(0, 128)}`}${digest ? `@${digest}` : ''}`;
}

function wrong(why: string): Error {
  return invalidArgument(`chart_url is no oci://HOST/REPO[:TAG][@sha256:DIGEST]: ${why}`);
}
