import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Case } from '../../test/cases/case-table.ts';
import { collectionTables } from '../../test/cases/collections.ts';
import { cryptoTables } from '../../test/cases/crypto.ts';
import { dateTables } from '../../test/cases/dates.ts';
import { formatTables } from '../../test/cases/formats.ts';
import { numberTables } from '../../test/cases/numbers.ts';
import { stringTables } from '../../test/cases/strings.ts';
import { textTables } from '../../test/cases/texts.ts';
import { renderText } from '../../test/support/render-text.ts';
import { bytesToUtf8 } from '../go/bytes.ts';
import type { GoValue } from '../go/value.ts';
import { TemplateExecError, TemplateSyntaxError } from '../template/template-error.ts';
import { functionLibrary } from './index.ts';

/** Renders one line; what has no value is shown as Tiller shows it, as nothing. */
function render(template: string): string {
  const data = new Map<string, GoValue>([['Values', new Map()]]);
  return renderText(template, data).replaceAll('<no value>', '');
}

function errorOf(template: string): string {
  try {
    return `no error, but ${render(template)}`;
  } catch (error) {
    if (error instanceof TemplateExecError || error instanceof TemplateSyntaxError)
      return bytesToUtf8(error.message);
    throw error;
  }
}

function check([template, expected]: Case): void {
  if (typeof expected === 'string') assert.equal(render(template), expected, template);
  else assert.equal(errorOf(template).slice(-expected.error.length), expected.error, template);
}

const tables = [
  ...stringTables,
  ...collectionTables,
  ...numberTables,
  ...formatTables,
  ...textTables,
  ...dateTables,
  ...cryptoTables,
];

for (const [index, { source, cases }] of tables.entries()) {
  test(`table ${index + 1}: ${cases.length} lines of ${source}`, async t => {
    for (const each of cases) await t.test(each[0], () => check(each));
  });
}

test('every function has a case', () => {
  const lines = tables.flatMap(({ cases }) => cases.map(([template]) => template)).join('\n');
  for (const name of functionLibrary.keys()) assert.match(lines, new RegExp(`\\b${name}\\b`), name);
});
