import { validateReleaseName } from '../../backends/index.ts';
import type {
  Hook,
  Release,
  TestReleaseRequest,
  TestReleaseResponse,
  TestRun,
  TestRunStatus,
} from '../../codec/index.ts';
import { toTimestamp } from '../state/revision.ts';
import type { TillerState } from '../state/tiller-state.ts';
import type { ManifestObject } from '../work/manifest-objects.ts';
import { tillerError } from '../work/tiller-error.ts';

/** How many tests Tiller starts at once when the request says `parallel` and no number. */
const defaultParallel = 20;

interface PodTest {
  readonly pod: ManifestObject;
  readonly expectsSuccess: boolean;
  readonly run: TestRun;
}

/**
 * Runs a release's test hooks and tells how they go, line by line. A test that fails is a line, not an error. How a pod
 * ends is decided by its `outcome`, since nothing runs.
 * @throws GatewayError UNKNOWN with Tiller's text
 */
export async function* runReleaseTest(
  state: TillerState,
  request: TestReleaseRequest,
): AsyncGenerator<TestReleaseResponse> {
  validateReleaseName(request.name);
  const release = state.store.last(request.name);
  const startedAt = toTimestamp(state.now());
  const tests = (
    await Promise.all(release.hooks.map(hook => readTests(state, hook, release.namespace)))
  ).flat();
  if (tests.length === 0) yield { msg: 'No Tests Found', status: 'UNKNOWN' };
  const batch = request.parallel ? request.max_parallel || defaultParallel : 1;
  for (let start = 0; start < tests.length; start += batch) {
    const together = tests.slice(start, start + batch);
    for (const test of together) yield startTest(state, test);
    for (const test of together) yield endTest(state, test);
  }
  if (request.logs) for (const { pod } of tests) yield podLogs(pod);
  if (request.cleanup && tests.length > 0) state.cluster.delete(tests.map(test => test.pod));
  await storeRun(state, release, {
    started_at: startedAt,
    completed_at: toTimestamp(state.now()),
    results: tests.map(test => test.run),
  });
}

async function storeRun(
  state: TillerState,
  release: Release,
  suite: NonNullable<NonNullable<NonNullable<Release['info']>['status']>['last_test_suite_run']>,
): Promise<void> {
  if (release.info?.status) release.info.status.last_test_suite_run = suite;
  await state.store.update(release);
}

async function readTests(state: TillerState, hook: Hook, namespace: string): Promise<PodTest[]> {
  const expectsSuccess = hook.events.includes('RELEASE_TEST_SUCCESS');
  if (!expectsSuccess && !hook.events.includes('RELEASE_TEST_FAILURE')) return [];
  const pods = await state.work.readObjects(hook.manifest, namespace);
  return pods.map(pod => {
    if (pod.kind !== 'Pod') throw tillerError(`${pod.name} is not a pod`);
    const run: TestRun = {
      name: pod.name,
      status: 'UNKNOWN',
      info: '',
      started_at: null,
      completed_at: null,
    };
    return { pod, expectsSuccess, run };
  });
}

function startTest(state: TillerState, { run }: PodTest): TestReleaseResponse {
  run.started_at = toTimestamp(state.now());
  run.status = 'RUNNING';
  return { msg: `RUNNING: ${run.name}`, status: 'RUNNING' };
}

function endTest(state: TillerState, { pod, expectsSuccess, run }: PodTest): TestReleaseResponse {
  try {
    state.cluster.create([pod], state.now());
    run.status = pod.outcome?.succeeded === expectsSuccess ? 'SUCCESS' : 'FAILURE';
  } catch (error) {
    // The pod of an earlier run is still there, unless that one cleaned up.
    run.info = (error as Error).message;
    run.status = 'FAILURE';
    return { msg: `ERROR: ${run.info}`, status: run.status };
  } finally {
    run.completed_at = toTimestamp(state.now());
  }
  return { msg: resultText(run.status, pod), status: run.status };
}

function resultText(status: TestRunStatus, { name, namespace }: ManifestObject): string {
  return status === 'SUCCESS'
    ? `PASSED: ${name}`
    : `FAILED: ${name}, run \`kubectl logs ${name} --namespace ${namespace}\` for more info`;
}

function podLogs(pod: ManifestObject): TestReleaseResponse {
  return { msg: `\nPOD LOGS: ${pod.name}\n${pod.outcome?.log ?? ''}`, status: 'RUNNING' };
}
