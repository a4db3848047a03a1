import { parseConstraint, parseVersion } from '../../charts/requirements/version-constraint.ts';
import { tillerVersion } from '../render/index.ts';
import { tillerError } from './tiller-error.ts';

const server = tillerVersion.semVer;

/**
 * The check of `x-helm-api-client` that every call but GetVersion passes: the server must be of the client's major
 * version and not older, or one of the two is a development build.
 * @param client the header's value, empty when it is missing
 * @throws GatewayError UNKNOWN with Tiller's text
 */
export function validateClientVersion(client: string): void {
  if (!isCompatible(client)) throw tillerError(`incompatible versions client[${client}] server[${server}]`);
}

function isCompatible(client: string): boolean {
  if (client.endsWith('unreleased') || server.endsWith('unreleased')) return true;
  const clientVersion = parseVersion(client);
  const version = parseVersion(server);
  if (!clientVersion || !version) return false;
  const [major, minor, patch] = clientVersion.numbers;
  const range =
    clientVersion.prerelease === ''
      ? `^${major}.${minor}.x`
      : `${major}.${minor}.${patch}-${clientVersion.prerelease}`;
  return parseConstraint(range)?.(version) ?? false;
}
