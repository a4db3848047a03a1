import { homedir } from 'node:os';
import { basename, dirname, resolve } from 'node:path';

/** Past it the oldest are forgotten: what clients can make the gateway read is bounded, and so is this. */
const maxPaths = 2_000;

/** Files and folders of this machine that messages may name, each with the pattern that stands for it. */
const known = new Map<string, RegExp>();

/**
 * Keeps clients from learning a path of this machine: answers show its last part alone, logs the whole. Whatever reads
 * a file that a configuration names passes its path through here.
 * @returns the path as it was given
 */
export function localPath(path: string): string {
  const absolute = path.includes('\0') ? '' : resolve(path);
  if (basename(absolute) === '') return path; // nothing, or the root of all
  known.delete(absolute);
  // not within a URL, a path of an API, or a longer name
  known.set(absolute, new RegExp(String.raw`(?<![\w./-])${escaped(absolute)}(?![\w-])`, 'g'));
  const [oldest] = known.keys();
  if (known.size > maxPaths && oldest !== undefined) known.delete(oldest);
  return path;
}

/** A message for clients. */
export function withoutLocalPaths(text: string): string {
  if (!text.includes('/')) return text;
  let shown = text;
  for (const [path, pattern] of known)
    if (shown.includes(path)) shown = shown.replace(pattern, basename(path));
  return shown;
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}

// the program's own, and its user's
for (const path of [homedir(), process.cwd(), dirname(import.meta.dirname), dirname(process.execPath)])
  localPath(path);
for (const path of ['/var/run/secrets/kubernetes.io', '/run/secrets/kubernetes.io']) localPath(path);
