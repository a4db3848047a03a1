import { unwatchFile, watchFile } from 'node:fs';

/**
 * Tells of changes to files. Their state is asked for in intervals, since the files of a mounted Secret are replaced by
 * way of a link, which no notification of the file itself would show. Keeps no process alive.
 * @returns what ends it
 */
export function watchFiles(files: readonly string[], intervalMs: number, onChange: () => void): () => void {
  const listener = () => onChange();
  for (const file of files) watchFile(file, { interval: intervalMs, persistent: false }, listener);
  return () => {
    for (const file of files) unwatchFile(file, listener);
  };
}
