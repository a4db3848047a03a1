import { invalidArgument } from '../../protocol/index.ts';
import type { YamlMap } from '../../yaml/index.ts';
import type { LoadedChart } from '../chart/loaded-chart.ts';
import { coalesceValues } from '../values/coalesce-values.ts';
import { tableAt, valueAt } from '../values/tables.ts';
import type { Preparation, Warn } from './preparation.ts';
import type { Requirement } from './requirements.ts';
import { parseConstraint, parseVersion } from './version-constraint.ts';

/** A name with a dot, for one, is a path of two names, which no value could reach. */
const aliasPattern = /^[a-zA-Z0-9-_]+$/;

/**
 * Gives dependencies their aliases and removes those that tags and conditions turn off, at every depth
 * (chartutil.ProcessRequirementsEnabled of Helm 2.17). A chart without requirements.yaml is left as it is, with all below
 * it. `given` are the values of the request.
 * @throws GatewayError INVALID_ARGUMENT when an alias is illegal, or values cannot be read or collide with a dependency's
 */
export function processEnabled(chart: LoadedChart, given: YamlMap, work: Preparation, path = ''): void {
  const requirements = work.tryRequirementsOf(chart);
  if (!requirements) return;
  const illegal = requirements.find(({ alias }) => alias !== '' && !aliasPattern.test(alias));
  if (illegal) throw invalidArgument(`illegal alias name in ${JSON.stringify(illegal.name)}`);
  chart.dependencies = withAliases(chart, requirements, work);
  work.takeCopies(given);
  const values = coalesceValues(chart, given, work);
  const disabled = new Set(
    requirements
      .filter(requirement => !isEnabled(requirement, values, path, work.warn))
      .map(requirement => requirement.alias || requirement.name),
  );
  const enabled = chart.dependencies.filter(({ metadata }) => !disabled.has(metadata.name));
  for (const dependency of enabled) {
    const below = `${path}${dependency.metadata.name}.`;
    work.tolerating(() => processEnabled(dependency, values, work, below));
  }
  chart.dependencies = enabled;
}

/** Dependencies that no requirement names, then one for each requirement that one fits, under its alias. */
function withAliases(
  chart: LoadedChart,
  requirements: readonly Requirement[],
  work: Preparation,
): LoadedChart[] {
  const unnamed = chart.dependencies.filter(
    dependency => !requirements.some(requirement => fits(dependency, requirement)),
  );
  const named = requirements.flatMap(requirement => {
    const dependency = chart.dependencies.find(candidate => fits(candidate, requirement));
    if (!dependency) return [];
    work.takeChart();
    const name = requirement.alias || dependency.metadata.name;
    return [{ ...dependency, metadata: { ...dependency.metadata, name } }];
  });
  return [...unnamed, ...named];
}

function fits({ metadata }: LoadedChart, requirement: Requirement): boolean {
  if (metadata.name !== requirement.name) return false;
  const version = parseVersion(metadata.version ?? '');
  return version !== undefined && parseConstraint(requirement.version)?.(version) === true;
}

/** A condition beats the tags; without either a dependency is enabled. */
function isEnabled(requirement: Requirement, values: YamlMap, path: string, warn: Warn): boolean {
  return (
    conditionOf(requirement, values, path, warn) ??
    tagsOf(requirement, tableAt(values, 'tags') ?? new Map(), warn) ??
    true
  );
}

/** The first path with a value decides, if that is a boolean; undefined when none does. */
function conditionOf(
  requirement: Requirement,
  values: YamlMap,
  path: string,
  warn: Warn,
): boolean | undefined {
  // only the whole is trimmed: with `a, b` the second path starts with a space and never matches in Helm either
  for (const condition of requirement.condition.trim().split(',')) {
    if (condition === '') continue;
    const value = valueAt(values, path + condition) ?? null;
    if (value === null) continue;
    if (typeof value === 'boolean') return value;
    warn(`condition path '${condition}' for chart ${requirement.name} returned non-bool value`);
    return undefined;
  }
  return undefined;
}

/** One tag that is true enables; else one that is false disables; undefined when the values name none. */
function tagsOf(requirement: Requirement, tags: YamlMap, warn: Warn): boolean | undefined {
  let result: boolean | undefined;
  for (const tag of requirement.tags) {
    const value = tags.get(tag);
    if (value === true) result = true;
    else if (value === false) result ??= false;
    else if (value !== undefined) {
      warn(`tag '${tag}' for chart ${requirement.name} returned non-bool value`);
    }
  }
  return result;
}
