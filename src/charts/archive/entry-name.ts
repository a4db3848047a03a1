import { posix } from 'node:path';
import { invalidArgument } from '../../protocol/index.ts';
import { decodeUtf8 } from '../chart-text.ts';

const drive = /^[a-zA-Z]:\//;

/**
 * The path of an archive's entry below the chart's folder, which is the first part of its name. A name with a backslash was
 * written on Windows and is divided there. The rules and their order are chartutil.loadArchiveFiles of Helm 2.17.
 * @throws GatewayError INVALID_ARGUMENT for names that are absolute, climb out, carry a drive letter, have no folder or are not
 * UTF-8 (which neither protobuf nor Tiller takes)
 */
export function entryPath(bytes: Uint8Array): string {
  const name = decodeName(bytes);
  const delimiter = name.includes('\\') ? '\\' : '/';
  const below = name.split(delimiter).slice(1).join('/');
  const shown = JSON.stringify(name.slice(0, 200));
  if (below.startsWith('/')) throw invalidArgument(`chart illegally contains absolute paths: ${shown}`);
  const path = cleanPath(below);
  if (path === '.') throw invalidArgument(`chart illegally contains empty path: ${shown}`);
  if (path.startsWith('..')) throw invalidArgument(`chart illegally references parent directory: ${shown}`);
  if (drive.test(path)) throw invalidArgument(`chart contains illegally named files: ${shown}`);
  return path;
}

function decodeName(bytes: Uint8Array): string {
  const name = decodeUtf8(bytes);
  if (name !== undefined) return name;
  const shown = JSON.stringify(Buffer.from(bytes.subarray(0, 200)).toString('latin1'));
  throw invalidArgument(`the name of a file in the chart is not UTF-8: ${shown}`);
}

/** Go's path.Clean: as short as it can be, without a slash at the end. */
function cleanPath(path: string): string {
  const normal = posix.normalize(path);
  return normal.length > 1 && normal.endsWith('/') ? normal.slice(0, -1) : normal;
}
