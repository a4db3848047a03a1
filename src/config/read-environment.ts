import type { PlacedOption } from './options/index.ts';
import type { Setting, Settings } from './settings.ts';
import { suggestion } from './suggest.ts';

const prefix = 'TILLER_GATEWAY_';

/**
 * Kubernetes puts such variables into every container for each Service of the namespace, so a Service called
 * `tiller-gateway` or `tiller-gateway-…` makes names with our prefix.
 * Rule: https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables
 */
const serviceLink =
  /_SERVICE_(?:HOST|PORT(?:_.+)?)$|_PORT(?:_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)?$/;

/** `drain-timeout` → `TILLER_GATEWAY_DRAIN_TIMEOUT`. */
export function environmentName(flag: string): string {
  return prefix + flag.replaceAll('-', '_').toUpperCase();
}

/**
 * Reads the variables that start with `TILLER_GATEWAY_`. An empty one counts as not set. Unknown ones are mistakes,
 * but for those that Kubernetes makes itself.
 */
export function readEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
  options: readonly PlacedOption['option'][],
): Settings {
  const flagByName = new Map(
    options
      .filter(option => !option.flagOnly)
      .flatMap(option =>
        [option.flag, ...option.aliases].map(name => [environmentName(name), option.flag] as const),
      ),
  );
  const knownNames = [...flagByName.keys()].map(name => name.slice(prefix.length));
  const byFlag = new Map<string, Setting>();
  const mistakes: string[] = [];
  for (const [name, text] of Object.entries(environment)) {
    if (!name.startsWith(prefix) || !text) continue;
    const flag = flagByName.get(name);
    if (flag !== undefined) byFlag.set(flag, { texts: [text], where: name });
    else if (!serviceLink.test(name)) {
      mistakes.push(
        `${name} is not a variable of this program${suggestion(name.slice(prefix.length), knownNames, prefix)}`,
      );
    }
  }
  return { byFlag, mistakes };
}
