import type { YamlMap, YamlValue } from '@tiller-gateway/helm-render';
import { type ManifestObject, table, text } from '../state/manifest-objects.ts';
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
 * How a Pod or Job would end. The annotations decide; without them each container's command does, where it is a shell
 * script of `echo`, `exit`, `true` and `false`, or `false` itself. All containers must succeed. Anything else succeeds.
 */
export function podOutcome(object: ManifestObject): PodOutcome {
  const containers = podSpec(object).get('containers');
  const outcomes = (Array.isArray(containers) ? containers : []).map(container =>
    runCommand(commandOf(table(container))),
  );
  const exitCode = object.annotations.get(exitCodeAnnotation);
  return {
    succeeded: exitCode === undefined ? outcomes.every(each => each.exitCode === 0) : exitCode.trim() === '0',
    log: object.annotations.get(logAnnotation) ?? outcomes.map(each => each.output).join(''),
  };
}

function podSpec({ kind, document }: ManifestObject): YamlMap {
  const spec = table(document.get('spec'));
  return kind === 'Job' ? table(table(spec.get('template')).get('spec')) : spec;
}

function commandOf(container: YamlMap): string[] {
  return [...words(container.get('command')), ...words(container.get('args'))];
}

function words(value: YamlValue | undefined): string[] {
  return Array.isArray(value) ? value.map(text) : [];
}
