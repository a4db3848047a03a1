import type { YamlMap, YamlValue } from '@tiller-gateway/helm-render/yaml';
import { runCommand } from './pod-script.ts';

/** Decides a pod's outcome in the sandbox: its exit code, 0 = success. Over what the command says. */
export const exitCodeAnnotation = 'sandbox.tiller-gateway/exit-code';
/** What the pod's log holds in the sandbox. Over what the command says. */
export const logAnnotation = 'sandbox.tiller-gateway/log';

export interface PodOutcome {
  readonly succeeded: boolean;
  readonly log: string;
}

/**
 * How a Pod or Job would end; undefined for any other kind. The annotations decide; without them each container's command
 * does, where it is a shell script of `echo`, `exit`, `true` and `false`, or `false` itself. All containers must succeed.
 * Anything else succeeds.
 */
export function podOutcome(
  kind: string,
  document: YamlMap,
  annotations: ReadonlyMap<string, string>,
): PodOutcome | undefined {
  if (kind !== 'Pod' && kind !== 'Job') return undefined;
  const spec = table(document.get('spec'));
  const podSpec = kind === 'Job' ? table(table(spec.get('template')).get('spec')) : spec;
  const containers = podSpec.get('containers');
  const outcomes = (Array.isArray(containers) ? containers : []).map(container =>
    runCommand(commandOf(table(container))),
  );
  const exitCode = annotations.get(exitCodeAnnotation);
  return {
    succeeded: exitCode === undefined ? outcomes.every(each => each.exitCode === 0) : exitCode.trim() === '0',
    log: annotations.get(logAnnotation) ?? outcomes.map(each => each.output).join(''),
  };
}

function commandOf(container: YamlMap): string[] {
  return [...words(container.get('command')), ...words(container.get('args'))];
}

function words(value: YamlValue | undefined): string[] {
  return Array.isArray(value) ? value.map(text) : [];
}

/** The value if it is a map, an empty map otherwise. */
export function table(value: YamlValue | undefined): YamlMap {
  return value instanceof Map ? value : new Map();
}

/** The value if it is a string or number, as text; an empty text otherwise. */
export function text(value: YamlValue | undefined): string {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint'
    ? String(value)
    : '';
}
