import { invalidArgument } from '../../protocol/index.ts';
import type { YamlValue } from '../../yaml/index.ts';
import { readFields, readList, readText, readTexts } from '../chart/chart-fields.ts';
import { readText as readFileText, readYamlMap } from '../chart/chart-text.ts';
import type { LoadedChart } from '../chart/loaded-chart.ts';

/** One dependency of requirements.yaml, with what Helm 2.17 reads of it. */
export interface Requirement {
  readonly name: string;
  /** Version or range; one that cannot be read matches nothing. */
  readonly version: string;
  /** Paths of values, divided by commas. */
  readonly condition: string;
  readonly tags: readonly string[];
  readonly alias: string;
  readonly importValues: readonly ValueImport[];
}

/** Values to copy from a table of the dependency into a table of its parent. */
export interface ValueImport {
  readonly child: string;
  readonly parent: string;
}

const fields = {
  name: readText,
  version: readText,
  condition: readText,
  tags: readTexts,
  alias: readText,
  'import-values': readList(readImport),
};

/**
 * Reads the requirements.yaml of a chart.
 * @throws GatewayError INVALID_ARGUMENT when it cannot be read
 */
export function loadRequirements(data: Uint8Array, chart: LoadedChart): Requirement[] {
  const where = `cannot load requirements: requirements.yaml of chart ${chart.metadata.name}`;
  const map = readYamlMap(readFileText(data, where), where);
  const { dependencies = [] } = readFields(map, { dependencies: readList(readRequirement) }, where);
  return dependencies as Requirement[];
}

function readRequirement(value: YamlValue, where: string): Requirement {
  if (!(value instanceof Map)) throw invalidArgument(`${where} must be a map`);
  const { 'import-values': imports, ...rest } = readFields(value, fields, where);
  const given = (imports as (ValueImport | undefined)[] | undefined) ?? [];
  return {
    name: '',
    version: '',
    condition: '',
    tags: [],
    alias: '',
    ...rest,
    importValues: given.filter(item => item !== undefined),
  };
}

/** `name` stands for the table `exports.name`, put into the parent's topmost table. What is neither form is ignored. */
function readImport(value: YamlValue, where: string): ValueImport | undefined {
  if (typeof value === 'string') return { child: `exports.${value}`, parent: '.' };
  if (!(value instanceof Map)) return undefined;
  const child = value.get('child');
  const parent = value.get('parent');
  if (typeof child === 'string' && typeof parent === 'string') return { child, parent };
  throw invalidArgument(`${where} must have child and parent`);
}
