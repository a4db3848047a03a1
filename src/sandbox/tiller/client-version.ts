import { tillerVersion } from '@tiller-gateway/helm-render/versions';
import { tillerError } from '../work/tiller-error.ts';

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

/** `vMAJOR[.MINOR[.PATCH]][-PRE-RELEASE][+BUILD]`, as github.com/Masterminds/semver reads a version. */
const versionPattern = /^v?(\d+)(?:\.(\d+))?(?:\.\d+)?(-[0-9A-Za-z-.]+)?(?:\+[0-9A-Za-z-.]+)?$/;
const [, serverMajor, serverMinor] = versionPattern.exec(server)!;

function isCompatible(client: string): boolean {
  if (client.endsWith('unreleased')) return true;
  const [, major, minor = '0', prerelease] = versionPattern.exec(client.slice(0, 256)) ?? [];
  // Tiller compares a pre-release as a whole, and it is no pre-release itself
  return (
    major !== undefined &&
    prerelease === undefined &&
    Number(major) === Number(serverMajor) &&
    Number(minor) <= Number(serverMinor)
  );
}
