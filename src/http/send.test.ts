import assert from 'node:assert/strict';
import { test } from 'node:test';
import express from 'express';
import type { HttpRequest } from '../protocol/index.ts';
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

function requestOf(acceptEncoding: string | undefined): HttpRequest {
  return Object.create(express.request, { headers: { value: { 'accept-encoding': acceptEncoding } } });
}

for (const value of accepted) test(`${value}: gzip`, () => assert.equal(acceptsGzip(requestOf(value)), true));
for (const value of refused) test(`${value}: none`, () => assert.equal(acceptsGzip(requestOf(value)), false));
