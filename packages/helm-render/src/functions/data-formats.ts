/**
 * Helm's toYaml, fromYaml, toJson, fromJson, toToml and Sprig's toPrettyJson. Those that write give an empty text where
 * the value cannot be written; those that read give a map with the error under `Error`.
 * https://github.com/helm/helm/blob/v2.17.0/docs/charts_tips_and_tricks.md
 */

import { HelmRenderError } from '../chart/helm-render-error.ts';
import { bytesToUtf8, utf8ToBytes } from '../go/bytes.ts';
import type { Functions } from '../go/function.ts';
import { type CallContext, goFunction } from '../go/function.ts';
import { NilMap } from '../go/nil.ts';
import type { GoMap, GoValue } from '../go/value.ts';
import { parseYamlBytes, yamlToGo } from '../go/yaml-values.ts';
import { goJson, writeYaml } from '../yaml/index.ts';
import { JsonSyntaxError, readGoJson } from './go-json-reader.ts';
import { goToJsonValue, JsonError, notAMap } from './json-value.ts';
import { TomlError, writeToml } from './toml-writer.ts';

/** The text of a value; empty where it cannot be written. */
function writer(write: (value: GoValue, context: CallContext) => string) {
  return goFunction(
    ['interface {}'],
    ([value], context) => {
      try {
        const text = utf8ToBytes(write(value!, context));
        context.charge(text.length);
        return text;
      } catch (error) {
        if (error instanceof JsonError || error instanceof HelmRenderError) return '';
        throw error;
      }
    },
    { result: 'string' },
  );
}

/** @param read takes a byte string */
function reader(read: (text: string) => GoValue) {
  return goFunction(
    ['string'],
    ([text], context) => {
      context.charge((text as string).length);
      try {
        return read(text as string);
      } catch (error) {
        if (error instanceof HelmRenderError || error instanceof JsonSyntaxError)
          return withError(error.message);
        throw error;
      }
    },
    { result: 'map[string]interface {}' },
  );
}

function withError(message: string): GoMap {
  return new Map([['Error', utf8ToBytes(message)]]);
}

function readYaml(text: string): GoValue {
  // JSON's null leaves the map that Helm made for the answer; below, json.Unmarshal is given that very map and unmakes it.
  const value = yamlToGo(parseYamlBytes(text)) ?? new Map();
  const problem = notAMap(value);
  return problem === undefined
    ? value
    : withError(`error unmarshaling JSON: while decoding JSON: ${problem}`);
}

function readJson(text: string): GoValue {
  const value = yamlToGo(readGoJson(bytesToUtf8(text))) ?? new NilMap();
  const problem = notAMap(value);
  return problem === undefined ? value : withError(problem);
}

function toJsonValue(value: GoValue, context: CallContext) {
  return goToJsonValue(value, amount => context.charge(amount));
}

function toToml(value: GoValue, context: CallContext): string {
  try {
    return writeToml(toJsonValue(value, context));
  } catch (error) {
    if (error instanceof TomlError) return error.message;
    throw error;
  }
}

export const dataFormatFunctions: Functions = [
  ['toYaml', writer((value, context) => writeYaml(toJsonValue(value, context)))],
  ['toJson', writer((value, context) => goJson(toJsonValue(value, context)))],
  ['toPrettyJson', writer((value, context) => goJson(toJsonValue(value, context), '  '))],
  ['toToml', writer(toToml)],
  ['fromYaml', reader(readYaml)],
  ['fromJson', reader(readJson)],
];
