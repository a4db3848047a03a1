/** Sprig's functions on slash-separated paths: Go's package path. https://pkg.go.dev/path */

import type { Functions } from '../go/function.ts';
import { goFunction } from '../go/function.ts';

/** path.Clean: the shortest form of a path, without looking at any file. */
function clean(path: string): string {
  const rooted = path.startsWith('/');
  const names: string[] = [];
  for (const name of path.split('/')) {
    if (name === '' || name === '.') continue;
    if (name !== '..') names.push(name);
    else if (names.length > 0 && names.at(-1) !== '..') names.pop();
    else if (!rooted) names.push('..');
  }
  return (rooted ? '/' : '') + names.join('/') || '.';
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
