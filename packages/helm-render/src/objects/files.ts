import { posix } from 'node:path';
import type { ChartFile } from '../chart/chart.ts';
import { HelmRenderError } from '../chart/helm-render-error.ts';
import { bufferToBytes, bytesToUtf8, utf8ToBytes } from '../go/bytes.ts';
import { type CallContext, type GoFunction, goFunction } from '../go/function.ts';
import { type GoValue, sortedKeys, TypedMap, typedList } from '../go/value.ts';
import { stringMapToYaml } from '../go/yaml-values.ts';
import { writeYaml } from '../yaml/index.ts';
import { createGlob } from './glob.ts';

type Entries = ReadonlyMap<string, Uint8Array>;

/** A map as YAML; what cannot be written (control characters, say) is nothing at all, as in Tiller. */
function yamlOf(map: ReadonlyMap<string, string>): string {
  if (map.size === 0) return '{}\n';
  try {
    return utf8ToBytes(writeYaml(stringMapToYaml(map)));
  } catch (error) {
    if (error instanceof HelmRenderError) return '';
    throw error;
  }
}

/** The files by their base names; of two with the same name the last counts. */
function byBaseName(entries: Entries, textOf: (content: Uint8Array) => string): Map<string, string> {
  const names = [...entries.keys()].sort();
  return new Map(names.map(name => [posix.basename(name), textOf(entries.get(name)!)]));
}

function methodsOf(entries: Entries): Map<string, GoFunction> {
  const get = (name: GoValue | undefined) => entries.get(name as string) ?? new Uint8Array();
  const glob = (pattern: GoValue | undefined, context: CallContext) => {
    context.charge(entries.size);
    const matches = createGlob(bytesToUtf8(pattern as string));
    return createFilesMap(new Map([...entries].filter(([name]) => matches(bytesToUtf8(name)))));
  };
  const lines = (name: GoValue | undefined, context: CallContext) => {
    const content = entries.get(name as string);
    context.charge(content?.length ?? 0);
    return typedList('string', content === undefined ? [] : bufferToBytes(content).split('\n'));
  };
  const base64 = (content: Uint8Array) => Buffer.from(content).toString('base64');
  return new Map([
    ['Get', goFunction(['string'], ([name]) => bufferToBytes(get(name)), { result: 'string' })],
    ['GetBytes', goFunction(['string'], ([name]) => get(name), { result: '[]uint8' })],
    [
      'Glob',
      goFunction(['string'], ([pattern], context) => glob(pattern, context), { result: 'chartutil.Files' }),
    ],
    ['Lines', goFunction(['string'], ([name], context) => lines(name, context), { result: '[]string' })],
    ['AsConfig', goFunction([], () => yamlOf(byBaseName(entries, bufferToBytes)), { result: 'string' })],
    ['AsSecrets', goFunction([], () => yamlOf(byBaseName(entries, base64)), { result: 'string' })],
  ]);
}

function createFilesMap(entries: Entries): TypedMap {
  const map = new TypedMap('chartutil.Files', '[]uint8', [], methodsOf(entries));
  for (const name of sortedKeys(new Map(entries))) map.set(name, entries.get(name)!);
  return map;
}

/** `.Files`: the chart's files besides templates and charts, by path. https://v2.helm.sh/docs/chart_template_guide/#accessing-files-inside-templates */
export function createFilesObject(files: readonly ChartFile[]): TypedMap {
  return createFilesMap(new Map(files.map(file => [utf8ToBytes(file.type_url), file.value])));
}
