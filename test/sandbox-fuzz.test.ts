/** Recorded requests with bytes changed, cut out and put in: each is answered, or refused in words, and nothing breaks. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HelmRenderError } from '@tiller-gateway/helm-render';
import fc from 'fast-check';
import { Code, GatewayError } from '../src/protocol/index.ts';
import { handlers } from '../src/sandbox/methods/handlers.ts';
import { SimulatedCluster } from '../src/sandbox/state/cluster.ts';
import { RevisionStore } from '../src/sandbox/state/revision-store.ts';
import type { TillerState } from '../src/sandbox/state/tiller-state.ts';
import { workHere } from '../src/sandbox/work/tasks.ts';
import { TillerCrash, toTillerError } from '../src/sandbox/work/tiller-error.ts';
import { readReleaseTestCalls, readRestSteps } from './support/recording.ts';

const recorded = [...readRestSteps().flatMap(step => step.grpc), ...readReleaseTestCalls()].map(call => ({
  method: call.method.slice(call.method.lastIndexOf('/') + 1),
  request: Buffer.from(call.requests[0] ?? '', 'base64'),
}));

interface Edit {
  readonly at: number;
  readonly cut: number;
  readonly put: Uint8Array;
}

const edit: fc.Arbitrary<Edit> = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  cut: fc.integer({ min: 0, max: 4 }),
  put: fc.uint8Array({ maxLength: 4 }),
});

function mutate(request: Buffer, edits: readonly Edit[]): Buffer {
  return edits.reduce((bytes, { at, cut, put }) => {
    const start = Math.floor(at * bytes.length);
    return Buffer.concat([bytes.subarray(0, start), put, bytes.subarray(start + cut)]);
  }, request);
}

/** @returns the refusal, undefined when the call was answered */
async function answer(state: TillerState, method: string, request: Buffer): Promise<unknown> {
  try {
    for await (const response of handlers[method]!(state, request)) assert.ok(Buffer.isBuffer(response));
    return undefined;
  } catch (error) {
    return error;
  }
}

test('no request breaks the sandbox', { timeout: 120_000 }, async () => {
  const store = await RevisionStore.open({
    bounds: { maxRevisions: 200, maxBytes: 5_000_000 },
    now: () => new Date(),
    report: problem => assert.match(problem, /^warning: Failed to record release /),
  });
  const state: TillerState = {
    store,
    cluster: new SimulatedCluster(),
    work: workHere,
    now: () => new Date(),
  };
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...recorded),
      fc.array(edit, { maxLength: 3 }),
      async ({ method, request }, edits) => {
        const refusal = await answer(state, method, mutate(request, edits));
        if (refusal === undefined) return;
        const isKnown = refusal instanceof GatewayError || refusal instanceof HelmRenderError;
        assert.ok(isKnown, `${method}: ${(refusal as Error).stack}`);
        const { code } = toTillerError(refusal);
        const isNoMessage = code === Code.INTERNAL && /^grpc: error /.test((refusal as Error).message);
        const isExpected = code === Code.UNKNOWN || code === Code.RESOURCE_EXHAUSTED || isNoMessage;
        assert.ok(isExpected || refusal instanceof TillerCrash, `${method}: ${code} ${refusal.message}`);
      },
    ),
    { numRuns: 2_000 },
  );
});
