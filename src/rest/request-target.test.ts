import assert from 'node:assert/strict';
import { test } from 'node:test';
import { originForm } from './request-target.ts';

const cases: Record<string, string> = {
  '/a?b=c': '/a?b=c',
  '//a/b': '//a/b',
  '/http://x/y': '/http://x/y',
  '*': '*',
  'http://host/a/b?c=d': '/a/b?c=d',
  'HTTPS://host:8443/a': '/a',
  'http://user@[::1]:80/a': '/a',
  'http://host': '/',
  'http://host?pretty': '/?pretty',
  'http://[::/a': '/a',
};

for (const [target, wanted] of Object.entries(cases))
  test(`${target} is ${wanted}`, () => assert.equal(originForm(target), wanted));
