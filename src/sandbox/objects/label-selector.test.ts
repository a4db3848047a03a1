import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseLabelSelector } from './label-selector.ts';

const labels = { app: 'helm', name: 'tiller', 'kubernetes.io/name': 'x' };

describe('parseLabelSelector', () => {
  const cases: [string, boolean][] = [
    ['', true],
    ['app=helm', true],
    ['app=helm,name=tiller', true],
    ['app==helm, name == tiller', true],
    ['app=helm,name=other', false],
    ['app!=helm', false],
    ['missing!=x', true],
    ['app', true],
    ['missing', false],
    ['!missing', true],
    ['!app', false],
    ['app in (helm, other),name', true],
    ['app in (other)', false],
    ['app notin (other,another)', true],
    ['missing notin (x)', true],
    ['missing in (x)', false],
    ['kubernetes.io/name=x', true],
  ];
  for (const [selector, expected] of cases) {
    test(JSON.stringify(selector), () => assert.equal(parseLabelSelector(selector)(labels), expected));
  }

  for (const selector of ['=', 'a=b=c', 'a in b', ',', 'a in (b']) {
    test(`refuses ${selector}`, () => assert.throws(() => parseLabelSelector(selector), { status: 400 }));
  }
});
