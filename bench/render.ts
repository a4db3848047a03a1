/** What rendering charts in the sandbox costs: beside plain text substitution, and for a large chart. */
import { readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { type Chart, renderRelease } from '@tiller-gateway/helm-render';
import { buildChart } from '../packages/helm-render/test/support/build-chart.ts';
import type { InstallReleaseRequest } from '../src/codec/messages.gen.ts';
import { decodeMessage } from '../src/codec/schema.ts';

const recorded = new URL('../test/conformance/helm-client.jsonl', import.meta.url);

/** The install request of the recorded `web` chart. */
function readWebRequest(): InstallReleaseRequest {
  const line = readFileSync(recorded, 'utf8')
    .split('\n')
    .find(text => text.startsWith('{"id":"web"'));
  const { request } = JSON.parse(line!) as { request: string };
  return decodeMessage('hapi.services.tiller.InstallReleaseRequest', Buffer.from(request, 'base64'));
}

/** 50 templates of 40 lines, as charts write them: helpers, conditions, loops, YAML of values. */
function buildLargeChart(): Chart {
  const block = [
    'apiVersion: v1',
    'kind: ConfigMap',
    'metadata:',
    '  name: {{ include "large.name" . | trunc 63 | trimSuffix "-" }}-NUMBER',
    '  labels:',
    '{{ include "large.labels" . | indent 4 }}',
    'data:',
    '  replicas: {{ .Values.replicas | default 1 | quote }}',
    '{{- if and .Values.enabled (gt (int .Values.replicas) 1) }}',
    '  enabled: "true"',
    '{{- else }}',
    '  enabled: "false"',
    '{{- end }}',
    '{{- range $key, $value := .Values.settings }}',
    '  {{ $key }}: {{ printf "%s-%v" $key $value | quote }}',
    '{{- end }}',
    '  resources: |',
    '{{ toYaml .Values.resources | indent 4 }}',
    '{{- with .Values.image }}',
    '  image: "{{ .repository }}:{{ .tag }}"',
    '{{- end }}',
  ];
  const filler = Array.from(
    { length: 40 - block.length },
    (_, index) => `  key${index}: {{ .Values.settings.a }}`,
  );
  const helpers =
    '{{- define "large.name" -}}{{ default .Chart.Name .Values.nameOverride }}-{{ .Release.Name }}{{- end -}}\n' +
    '{{- define "large.labels" -}}\napp: {{ template "large.name" . }}\nchart: {{ .Chart.Name }}-{{ .Chart.Version }}\n{{- end -}}\n';
  const text = [...block, ...filler].join('\n');
  const templates = Array.from({ length: 49 }, (_, index) => [
    `config-${index}.yaml`,
    text.replace('NUMBER', String(index)),
  ]);
  return buildChart({
    name: 'large',
    templates: { '_helpers.tpl': helpers + '# filler\n'.repeat(34), ...Object.fromEntries(templates) },
    values:
      'replicas: 3\nenabled: true\nsettings: {a: one, b: 2, c: true}\nimage: {repository: r, tag: "1"}\n' +
      'resources:\n  limits: {cpu: 100m, memory: 128Mi}\n  requests: {cpu: 50m, memory: 64Mi}\n',
  });
}

const release = {
  name: 'bench',
  namespace: 'default',
  revision: 1,
  isInstall: true,
  isUpgrade: false,
  time: new Date('2026-11-20T10:00:00Z'),
};

/** Milliseconds of each of `rounds` calls, sorted; a tenth as many go before to warm up. */
function measure(rounds: number, run: () => void): number[] {
  for (let round = 0; round < Math.ceil(rounds / 10); round++) run();
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const start = performance.now();
    run();
    times.push(performance.now() - start);
  }
  return times.sort((a, b) => a - b);
}

const at = (times: readonly number[], share: number) =>
  times[Math.floor((times.length - 1) * share)]!.toFixed(2);

function report(title: string, times: readonly number[]): number {
  const total = times.reduce((sum, time) => sum + time, 0);
  const rate = ((times.length / total) * 1000).toFixed(0);
  console.log(
    `${title}: p50 ${at(times, 0.5)} ms, p99 ${at(times, 0.99)} ms, ${rate}/s over ${times.length} rounds`,
  );
  return total / times.length;
}

/** The least that any template engine does: replace each action by a text. */
function substitute(chart: Chart): number {
  let length = 0;
  for (const { data } of chart.templates) {
    length += Buffer.from(data)
      .toString()
      .replace(/\{\{.*?\}\}/gs, 'value').length;
  }
  return length;
}

export async function run(): Promise<void> {
  const request = readWebRequest();
  const web = request.chart!;
  const render = (chart: Chart, values: { raw: string } | null) =>
    renderRelease({ chart, values, release, subNotes: false });
  const rendered = report(
    'web chart (5 templates)',
    measure(1000, () => void render(web, request.values)),
  );
  const substituted = report(
    'web chart, actions replaced by a text only',
    measure(1000, () => void substitute(web)),
  );
  console.log(`rendering costs ${(rendered / substituted).toFixed(0)} times plain substitution`);

  const large = buildLargeChart();
  const lines = large.templates.reduce(
    (sum, { data }) => sum + Buffer.from(data).toString().split('\n').length,
    0,
  );
  const values = { raw: '{}' };
  report(
    `chart of ${large.templates.length} templates, ${lines} lines`,
    measure(50, () => void render(large, values)),
  );
}
