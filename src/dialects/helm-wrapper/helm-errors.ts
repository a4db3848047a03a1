import { Code, GatewayError } from '../../protocol/index.ts';

/*
 * Errors in the words of Helm 3, whose clients read them (test/conformance/helm3). Which error it is, the reason of the
 * release service's error says; the text is Helm's.
 */

/** @throws GatewayError INVALID_ARGUMENT */
export function refuse(message: string): never {
  throw new GatewayError(Code.INVALID_ARGUMENT, message);
}

export function isNotFound(error: unknown): error is GatewayError {
  return error instanceof GatewayError && error.reason === 'RELEASE_NOT_FOUND';
}

/** Runs `work`; a release that is not there gives this text. */
export async function orNotFound<T>(text: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw isNotFound(error) ? inWords(error, text) : error;
  }
}

/** The same error with another text. */
export function inWords(error: GatewayError, text: string): GatewayError {
  return new GatewayError(error.code, text, { reason: error.reason, cause: error });
}

/** Installs or upgrades a release. */
export async function inHelm3Words(work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    throw renderError(nameInUse(error));
  }
}

/** A name that is taken, by a release that is there or whose history was kept. Errors about objects stay as they are. */
function nameInUse(error: unknown): unknown {
  const isTaken =
    error instanceof GatewayError &&
    error.reason === 'RELEASE_EXISTS' &&
    /^(?:a released? named |release: )/.test(error.message);
  return isTaken ? inWords(error, 'cannot re-use a name that is still in use') : error;
}

/** Words of Helm 2 before the text of a template's error, which Helm 3 leaves out or has otherwise. */
const helm2Render = /^(?:render|parse) error in "[^"]*": /;
const ownFailure =
  /^template: (\S+?:\d+:\d+): executing "[^"]*" at <.*>: error calling (?:required|fail): (.*)$/s;

/** What a template fails with, in Helm 3's words. */
function renderError(error: unknown): unknown {
  if (!(error instanceof GatewayError) || !helm2Render.test(error.message.slice(0, 1000))) return error;
  const text = error.message.replace(helm2Render, '');
  const [, place, message] = ownFailure.exec(text.slice(0, 4096)) ?? [];
  return inWords(error, place === undefined ? text : `execution error at (${place}): ${message}`);
}
