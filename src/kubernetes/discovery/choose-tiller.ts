import { unavailable } from '../../protocol/index.ts';
import type { ObjectName, Pod, Service } from './list-objects.ts';

/**
 * The Pod to speak to: Ready and not about to go, the youngest of them, since during an update the older one is next to
 * go. Pods of one namespace share their releases, so any will do; Pods of several namespaces are different Tillers.
 * @param where the namespaces that were searched, in words
 * @throws GatewayError UNAVAILABLE where there is none, or one in each of several namespaces, which it lists
 */
export function choosePod(pods: readonly Pod[], where: string): Pod {
  const usable = pods.filter(pod => isReady(pod) && !pod.metadata.deletionTimestamp);
  if (new Set(usable.map(pod => pod.metadata.namespace)).size > 1) throw severalError(usable, where);
  const [first, ...others] = usable;
  if (first) return others.reduce((youngest, pod) => (isYounger(pod, youngest) ? pod : youngest), first);
  const unready = pods.length > 0 ? `; not ready: ${namesOf(pods)}` : '';
  throw unavailable(`finding Tiller: no ready pod ${where}${unready}`);
}

/**
 * The only Service, or nothing where there is none.
 * @throws GatewayError UNAVAILABLE that lists them where there are several
 */
export function chooseService(services: readonly Service[], where: string): Service | undefined {
  if (services.length > 1) throw severalError(services, where);
  return services[0];
}

function severalError(objects: readonly { readonly metadata: ObjectName }[], where: string) {
  return unavailable(
    `finding Tiller: several ${where}: ${namesOf(objects)}. Choose one with --tiller-namespace or other labels`,
  );
}

function isReady(pod: Pod): boolean {
  return pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;
}

function isYounger(a: Pod, b: Pod): boolean {
  // RFC 3339 in UTC without fractions, as the API server writes it, sorts as text
  return (a.metadata.creationTimestamp ?? '') > (b.metadata.creationTimestamp ?? '');
}

function namesOf(objects: readonly { readonly metadata: ObjectName }[]): string {
  const names = objects.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`).sort();
  const shown = names.slice(0, 10).join(', ');
  return names.length > 10 ? `${shown} and ${names.length - 10} more` : shown;
}
