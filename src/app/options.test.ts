import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { exampleOf } from '../../test/support/option-example.ts';
import { openUpstream } from '../clusters/index.ts';
import { completeConfig, readValues } from '../config/config.ts';
import type { Config } from '../config/index.ts';
import { allOptions, type PlacedOption } from '../config/options.ts';
import { readFlags } from '../config/read-settings.ts';
import { createLogger, createMetrics } from '../observe/index.ts';
import {
  chartOptionsOf,
  listenerOptionsOf,
  ownEntryOf,
  probeListenerOptionsOf,
  requireChartFiles,
  tillerCallOptionsOf,
} from './options.ts';

const log = createLogger({ level: 'error', format: 'json', stream: process.stderr });
const metrics = createMetrics('0');
const events = { connected() {}, failed() {}, lost() {}, written() {} };
const gateway = { maxSockets: 1, maxMessageBytes: 1, timeoutMs: 1, connectTimeoutMs: 1 };
const certificate = [
  '--tiller-endpoint=https://tiller:1',
  '--tls-cert-file=c',
  '--tls-private-key-file=k',
  '--tls-ca-file=a',
];

function configOf(argv: string[]): Config {
  const options = allOptions.map(({ option }) => option);
  const given = readValues(readFlags([...certificate, ...argv], options).byFlag).config;
  return completeConfig(given, { inPod: false, hasServiceAccount: false });
}

/** The options of all rooms, as text. */
function toldWith(argv: string[]): string {
  const config = configOf(argv);
  const told = [
    listenerOptionsOf(config, log),
    probeListenerOptionsOf(config, log),
    tillerCallOptionsOf(config, metrics),
    ownEntryOf(config),
    chartOptionsOf(config, log),
  ];
  return JSON.stringify(told);
}

/** Options that are used where the program is wired, not handed on; the tests of the real program cover them. */
const usedByApp = new Set([
  'drain-timeout',
  'body-limit',
  'in-flight-limit',
  'connector',
  'tiller-endpoint',
  'tiller-ca-file',
  'tiller-client-cert-file',
  'tiller-client-private-key-file',
]);

function argumentOf(placed: PlacedOption): string {
  return `--${placed.option.flag}=${exampleOf(placed)}`;
}

describe('what is configured reaches its room', () => {
  const handedOn = ['listener', 'tls', 'limits', 'tiller', 'charts'];
  const usual = toldWith([]);
  for (const placed of allOptions) {
    const { flag } = placed.option;
    if (!handedOn.includes(placed.group) || usedByApp.has(flag)) continue;
    test(`--${flag}`, () => assert.notEqual(toldWith([argumentOf(placed)]), usual));
  }

  test('files of TLS to Tiller are read, and named when they cannot be', async t => {
    for (const flag of ['tiller-ca-file', 'tiller-client-cert-file', 'tiller-client-private-key-file']) {
      const pair = ['--tiller-client-cert-file=/none/c', '--tiller-client-private-key-file=/none/k'];
      const argv = flag === 'tiller-ca-file' ? [`--${flag}=/none/ca`] : pair;
      const config = configOf(['--tiller-endpoint=tiller:1', ...argv]);
      const options = { tiller: tillerCallOptionsOf(config, metrics), gateway, environment: {} };
      await assert.rejects(async () => openUpstream(ownEntryOf(config), options, events, t.signal), {
        code: 3,
        message: /cannot read \/none\//,
      });
    }
  });
});

test('paths of charts that cannot be read are named before anything starts', () => {
  for (const flag of ['--chart-dir', '--keyring', '--chart-repo-credentials']) {
    const config = configOf([flag, '/no/such/path', '--chart-repo', 'a=https://charts.example']);
    assert.throws(() => requireChartFiles(config), {
      code: 3,
      message: `${flag}: cannot read /no/such/path`,
    });
  }
  assert.doesNotThrow(() => requireChartFiles(configOf([])));
});
