import { randomInt } from 'node:crypto';
import { adjectives, animals } from './name-words.ts';
import { tillerError } from './tiller-error.ts';

/** Of 63 that Kubernetes allows, ten are left to the charts. */
export const maxNameLength = 53;

/** How often Tiller looks for a name that is free. */
const maxTries = 5;

/** Matches what Tiller's `^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])+$` matches, but in one pass. */
const namePattern = /^[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?$/;

/**
 * The check that every method but InstallRelease makes.
 * @throws GatewayError UNKNOWN with Tiller's text
 */
export function validateReleaseName(name: string): void {
  if (name === '') throw tillerError('no release provided');
  if (!namePattern.test(name) || name.length > maxNameLength) {
    throw tillerError(
      'invalid release name, must match regex ^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])+$ and the length must not longer than 53',
    );
  }
}

/**
 * A name in Tiller's style, `adjective-animal`.
 * @throws GatewayError UNKNOWN when five in a row are taken, as Tiller does
 */
export function generateReleaseName(isTaken: (name: string) => boolean): string {
  for (let attempt = 0; attempt < maxTries; attempt++) {
    const name = `${adjectives[randomInt(adjectives.length)]}-${animals[randomInt(animals.length)]}`;
    if (!isTaken(name)) return name;
  }
  throw tillerError('no available release name found');
}
