import { Code, GatewayError } from '../../protocol/index.ts';

/** A failure as Tiller reports every one of its own: status 2 with a text. */
export function tillerError(text: string, options?: ErrorOptions): GatewayError {
  return new GatewayError(Code.UNKNOWN, text, options);
}

/** @param what a release's name, or the key of a revision */
export function notFound(what: string): GatewayError {
  return tillerError(`release: ${JSON.stringify(what)} not found`);
}

/** A release that is there, but not in the namespace that a read names. */
export function notInNamespace(name: string, namespace: string): GatewayError {
  const message = `release: ${JSON.stringify(name)} not found in namespace ${namespace.slice(0, 63)}`;
  return new GatewayError(Code.NOT_FOUND, message, { reason: 'RELEASE_NOT_FOUND' });
}

/** The name of a revision's record in Tiller's storage. */
export function revisionKey(name: string, version: number): string {
  return `${name}.v${version}`;
}

/** Of 63 that Kubernetes allows, ten are left to the charts. */
export const maxNameLength = 53;

/** Matches what Tiller's `^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])+$` matches, but in one pass. */
const namePattern = /^[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?$/;

export const invalidName =
  'invalid release name, must match regex ^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])+$ and the length must not be longer than 53';

/**
 * The check that every method of Tiller's but InstallRelease makes.
 * @throws GatewayError UNKNOWN with Tiller's text
 */
export function validateReleaseName(name: string): void {
  if (name === '') throw tillerError('no release provided');
  if (!namePattern.test(name) || name.length > maxNameLength) {
    throw tillerError(invalidName);
  }
}
