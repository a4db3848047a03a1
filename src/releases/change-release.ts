import type { TillerBackend } from '../backends/index.ts';
import { encodeMessage } from '../codec/index.ts';
import type { CallContext } from '../protocol/index.ts';
import { isReleaseNotFound, requireNamespace } from './look-at-release.ts';
import { RequestFields } from './request-fields.ts';
import { askTiller, createToTiller, streamFromTiller } from './tiller-request.ts';

const swiftRollback = 'appscode.swift.v2.RollbackReleaseRequest';
const swiftUninstall = 'appscode.swift.v2.UninstallReleaseRequest';
const swiftTest = 'appscode.swift.v2.TestReleaseRequest';
const toRollback = createToTiller(swiftRollback, 'hapi.services.tiller.RollbackReleaseRequest');
const toUninstall = createToTiller(swiftUninstall, 'hapi.services.tiller.UninstallReleaseRequest');
const toTest = createToTiller(swiftTest, 'hapi.services.tiller.TestReleaseRequest');

/** Makes an earlier revision the newest one again. */
export async function rollbackRelease(
  { tiller }: TillerBackend,
  swift: Uint8Array,
  context: CallContext,
): Promise<Uint8Array> {
  const fields = new RequestFields(swiftRollback, swift);
  await requireNamespace(tiller, fields.string('name'), fields.string('namespace'), context);
  return askTiller(tiller, 'RollbackRelease', toRollback(swift), context);
}

/** Deletes a release; with `ignore_not_found` the answer is empty where there is none. */
export async function uninstallRelease(
  { tiller }: TillerBackend,
  swift: Uint8Array,
  context: CallContext,
): Promise<Uint8Array> {
  const fields = new RequestFields(swiftUninstall, swift);
  try {
    await requireNamespace(tiller, fields.string('name'), fields.string('namespace'), context);
    return await askTiller(tiller, 'UninstallRelease', toUninstall(swift), context);
  } catch (error) {
    if (!fields.boolean('ignore_not_found') || !isReleaseNotFound(error)) throw error;
    return encodeMessage('appscode.swift.v2.UninstallReleaseResponse', {});
  }
}

/** Runs a release's tests. */
export async function* runReleaseTest(
  { tiller }: TillerBackend,
  swift: Uint8Array,
  context: CallContext,
): AsyncGenerator<Uint8Array, void, undefined> {
  const fields = new RequestFields(swiftTest, swift);
  await requireNamespace(tiller, fields.string('name'), fields.string('namespace'), context);
  yield* streamFromTiller(tiller, 'RunReleaseTest', toTest(swift), context);
}
