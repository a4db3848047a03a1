/** Sprig's functions on slash-separated paths: Go's package path. https://pkg.go.dev/path */
import { posix } from 'node:path';
import { goFunction } from '../go/function.ts';
import type { Functions } from './table.ts';

/** path.Clean; unlike Node's normalize it keeps no slash at the end. */
function clean(path: string): string {
  const normal = posix.normalize(path);
  return normal.length > 1 && normal.endsWith('/') ? normal.slice(0, -1) : normal;
}

/** path.Base: the last element; `.` of an empty path, `/` of nothing but slashes. */
function base(path: string): string {
  if (path === '') return '.';
  let end = path.length;
  while (path[end - 1] === '/') end--;
  return end === 0 ? '/' : path.slice(path.lastIndexOf('/', end - 1) + 1, end);
}

/** path.Ext: from the last dot of the last element on. */
function ext(path: string): string {
  const dot = path.lastIndexOf('.');
  return dot > path.lastIndexOf('/') ? path.slice(dot) : '';
}

function pathFunction(change: (path: string) => string) {
  return goFunction(['string'], ([path]) => change(path as string), { result: 'string' });
}

export const pathFunctions: Functions = [
  ['base', pathFunction(base)],
  ['dir', pathFunction(path => clean(path.slice(0, path.lastIndexOf('/') + 1)))],
  ['clean', pathFunction(clean)],
  ['ext', pathFunction(ext)],
  ['isAbs', goFunction(['string'], ([path]) => (path as string).startsWith('/'), { result: 'bool' })],
];
