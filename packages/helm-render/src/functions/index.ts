/**
 * The functions that Tiller 2.17 gives to templates besides the language's own and its `include`, `tpl`, `required`:
 * Sprig 2.22's without those that read the environment (`env`, `expandenv`), and Helm's data formats.
 */
import type { FunctionTable } from '../go/function.ts';
import { cryptoFunctions } from './crypto.ts';
import { dataFormatFunctions } from './data-formats.ts';
import { dateFunctions } from './dates.ts';
import { defaultFunctions } from './defaults.ts';
import { dictFunctions } from './dicts.ts';
import { encodingFunctions } from './encoding.ts';
import { listFunctions } from './lists.ts';
import { mathFunctions } from './maths.ts';
import { pathFunctions } from './paths.ts';
import { randomFunctions } from './random.ts';
import { reflectionFunctions } from './reflection.ts';
import { regexpFunctions } from './regexps.ts';
import { semverFunctions } from './semver.ts';
import { stringFunctions } from './strings.ts';
import { urlFunctions } from './urls.ts';
import { wordFunctions } from './words.ts';

export const functionLibrary: FunctionTable = new Map([
  ...stringFunctions,
  ...wordFunctions,
  ...listFunctions,
  ...dictFunctions,
  ...mathFunctions,
  ...defaultFunctions,
  ...reflectionFunctions,
  ...encodingFunctions,
  ...dataFormatFunctions,
  ...dateFunctions,
  ...pathFunctions,
  ...randomFunctions,
  ...regexpFunctions,
  ...semverFunctions,
  ...urlFunctions,
  ...cryptoFunctions,
]);
