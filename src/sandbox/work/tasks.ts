import { renderRelease, resourceTable } from '@tiller-gateway/helm-render';
import { readManifestObjects, readObjectDocuments } from './manifest-objects.ts';
import { mergeValues } from './merge-values.ts';

/** What a chart's author decides the length of. Runs in a worker thread, so that nothing else waits for it. */
export const tasks = {
  render: renderRelease,
  mergeValues,
  readObjects: readManifestObjects,
  readDocuments: readObjectDocuments,
  resourceTable,
};

export type Tasks = typeof tasks;
export type TaskName = keyof Tasks;

/** The tasks, done somewhere: each promise settles as the function would return or throw. */
export type Work = {
  readonly [Name in TaskName]: (...args: Parameters<Tasks[Name]>) => Promise<ReturnType<Tasks[Name]>>;
};

/** Does a task in this thread. */
export function runTask(name: TaskName, args: readonly unknown[]): unknown {
  return (tasks[name] as (...args: readonly unknown[]) => unknown)(...args);
}

/** All tasks in this thread: for tests of what uses them. */
export const workHere = Object.fromEntries(
  Object.keys(tasks).map(name => [name, async (...args: unknown[]) => runTask(name as TaskName, args)]),
) as Work;
