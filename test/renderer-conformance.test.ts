import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { HelmRenderError, type RenderOutput, renderRelease } from '@tiller-gateway/helm-render';
import type { Chart, Hook, InstallReleaseRequest, Release } from '../src/codec/messages.gen.ts';
import { decodeMessage } from '../src/codec/schema.ts';

/** What the real Tiller 2.17.0 made of charts and single lines: test/conformance/README.md. */
function readLines<T>(name: string): T[] {
  const text = readFileSync(new URL(`./conformance/${name}`, import.meta.url), 'utf8');
  return text
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line) as T);
}

const releaseAt = (name: string, namespace: string, revision = 1) => ({
  name,
  namespace,
  revision,
  isInstall: revision === 1,
  isUpgrade: revision > 1,
  time: new Date('2026-11-20T10:00:00Z'),
});

/** What a rendering came to, in the form in which it was recorded. */
function outcome<T>(run: () => T): { value: T } | { error: string } {
  try {
    return { value: run() };
  } catch (error) {
    assert.ok(error instanceof HelmRenderError, String((error as Error)?.stack));
    return { error: error.message };
  }
}

interface Recorded {
  readonly chart: Chart;
  readonly values: InstallReleaseRequest['values'];
  readonly dryRun: boolean;
  readonly release: Pick<Release, 'name' | 'namespace' | 'version'>;
  readonly reply: Release | undefined;
  readonly message: string;
}

/** Hooks come in the random order of a Go map, and carry what happened when they ran. */
function comparableHooks(hooks: RenderOutput['hooks'] | Hook[]): unknown[] {
  return hooks
    .map(({ last_run: _, ...hook }) =>
      JSON.stringify({ ...hook, events: [...(hook.events ?? [])] }, sortedKeys),
    )
    .sort();
}

function sortedKeys(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function compare(recorded: Recorded): void {
  const { chart, values, dryRun, reply, message } = recorded;
  const { name, namespace, version } = recorded.release;
  const got = outcome(() =>
    renderRelease({ chart, values, release: releaseAt(name, namespace, version), subNotes: false, dryRun }),
  );
  if (!reply) {
    assert.deepEqual(got, { error: message });
    return;
  }
  assert.ok('value' in got, JSON.stringify(got));
  assert.equal(got.value.manifest, reply.manifest);
  assert.equal(got.value.notes, reply.info?.status?.notes ?? '');
  assert.deepEqual(comparableHooks(got.value.hooks), comparableHooks(reply.hooks));
}

describe('charts installed by the Helm 2.17.0 client', () => {
  interface Step {
    id: string;
    request?: string;
    response?: string;
    message?: string;
  }
  for (const step of readLines<Step>('helm-client.jsonl')) {
    if (step.request === undefined) continue;
    it(step.id, () => {
      const request = decodeMessage(
        'hapi.services.tiller.InstallReleaseRequest',
        Buffer.from(step.request!, 'base64'),
      );
      const reply =
        step.response === undefined
          ? undefined
          : decodeMessage('hapi.services.tiller.InstallReleaseResponse', Buffer.from(step.response, 'base64'))
              .release;
      compare({
        chart: request.chart!,
        values: request.values,
        dryRun: request.dry_run,
        release: { name: request.name, namespace: request.namespace, version: 1 },
        reply: reply ?? undefined,
        message: step.message ?? '',
      });
    });
  }
});

describe('installs and upgrades recorded through swift', () => {
  interface Call {
    method: string;
    requests: string[];
    responses: string[];
    message: string;
  }
  const aboutRendering = /^(render error|parse error|YAML parse error|error converting YAML)/;
  for (const step of readLines<{ id: string; grpc: Call[] }>('rest-v2.jsonl')) {
    for (const call of step.grpc) {
      const kind = /(Install|Update)Release$/.exec(call.method)?.[1];
      const failed = call.responses.length === 0;
      if (!kind || (failed && !aboutRendering.test(call.message))) continue;
      it(step.id, () => {
        const isInstall = kind === 'Install';
        const wire = Buffer.from(call.requests[0]!, 'base64');
        const request = decodeMessage(
          `hapi.services.tiller.${isInstall ? 'Install' : 'Update'}ReleaseRequest`,
          wire,
        );
        const reply = failed
          ? undefined
          : decodeMessage(
              'hapi.services.tiller.InstallReleaseResponse',
              Buffer.from(call.responses[0]!, 'base64'),
            ).release!;
        compare({
          // Tiller keeps what it rendered: with reuse_values the chart's own values are the merged ones.
          chart: reply?.chart ?? request.chart!,
          values: reply?.config ?? request.values,
          dryRun: isInstall && request.dry_run,
          release: reply ?? { name: 'name', namespace: 'default', version: isInstall ? 1 : 2 },
          reply,
          message: call.message,
        });
      });
    }
  }
});
