/** Are two recorded messages the same? The rules are those of test/conformance/README.md, "How to compare requests". */
import assert from 'node:assert/strict';
import { loadAll } from 'js-yaml';
import type { MessageTypes } from '../../src/codec/messages.gen.ts';
import { decodeMessage } from '../../src/codec/schema.ts';

type Plain = Record<string, unknown>;

/**
 * What differs between two messages of a type, in words and with the place, or undefined when they say the same.
 * The order of map entries, of files and of dependencies does not count; values compare as YAML where the chart has a
 * `requirements.yaml`, since the Helm client rewrites their text then.
 */
export function messageDifference(
  type: keyof MessageTypes,
  actual: Uint8Array,
  expected: Uint8Array,
): string | undefined {
  try {
    assert.deepStrictEqual(comparable(type, actual), comparable(type, expected));
    return undefined;
  } catch (error) {
    if (!(error instanceof assert.AssertionError)) throw error;
    return error.message;
  }
}

function comparable(type: keyof MessageTypes, wire: Uint8Array): unknown {
  const message = withoutDefaultTimeout(decodeMessage(type, wire) as unknown as Plain);
  const chart = message.chart as Plain | null | undefined;
  if (!chart) return message;
  const valuesAreRewritten = hasRequirements(chart);
  return {
    ...message,
    chart: comparableChart(chart, valuesAreRewritten),
    values: valuesAreRewritten ? parsedValues(message.values) : message.values,
  };
}

/** The 300 s that stand for no timeout, as in Helm's client, are none in the recordings of swift. */
function withoutDefaultTimeout(message: Plain): Plain {
  return message.timeout === 300 ? { ...message, timeout: 0 } : message;
}

function comparableChart(chart: Plain, valuesAreRewritten: boolean): Plain {
  const files = chart.files as { type_url: string }[];
  const dependencies = chart.dependencies as (Plain & { metadata: { name: string } | null })[];
  return {
    ...chart,
    files: files.toSorted((a, b) => compareText(a.type_url, b.type_url)),
    dependencies: dependencies
      .toSorted((a, b) => compareText(a.metadata?.name ?? '', b.metadata?.name ?? ''))
      .map(dependency => comparableChart(dependency, hasRequirements(dependency))),
    values: valuesAreRewritten ? parsedValues(chart.values) : chart.values,
  };
}

function hasRequirements(chart: Plain): boolean {
  return (chart.files as { type_url: string }[]).some(file => file.type_url === 'requirements.yaml');
}

function parsedValues(config: unknown): unknown {
  if (!config) return config;
  return { ...(config as Plain), raw: loadAll((config as { raw: string }).raw)[0] ?? {} };
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
