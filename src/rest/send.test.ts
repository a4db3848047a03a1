import assert from 'node:assert/strict';
import { test } from 'node:test';
import { acceptsGzip } from './send.ts';

const accepted = [
  'gzip',
  'GZIP',
  'br, gzip',
  'gzip;q=0.1',
  'gzip ; q=1.000',
  '*',
  'br;q=1, *;q=0.5',
  'deflate,gzip;q=0.001',
];
const refused = [
  undefined,
  '',
  'br',
  'identity',
  'gzip;q=0',
  'gzip;q=0.000',
  'gzip;q=0, *',
  '*;q=0',
  'xgzip',
  'gzip;q=x',
];

for (const value of accepted) test(`${value}: gzip`, () => assert.equal(acceptsGzip(value), true));
for (const value of refused) test(`${value}: none`, () => assert.equal(acceptsGzip(value), false));
