import { readFile } from 'node:fs/promises';
import type { Config } from '../config/index.ts';
import type { LoggedRequest, Logger, Metrics } from '../observe/index.ts';
import { invalidArgument } from '../protocol/index.ts';
import type { Hub, HubOptions } from './hub/index.ts';
import { tillerCallOptionsOf } from './options.ts';

/** The hub with what its requests are told to. */
export interface OpenHub extends Hub {
  finished(request: LoggedRequest): void;
}

interface Around extends Pick<HubOptions, 'serviceOf'> {
  readonly metrics: Metrics;
  readonly log: Logger;
}

/**
 * Loads the hub, which a gateway for one Tiller does without, and reads its clusters.
 * @throws GatewayError that says what of them cannot be right
 */
export async function openHub(config: Config, { serviceOf, metrics, log }: Around): Promise<OpenHub> {
  const { file, kubeContexts, allowAdhoc, adhocCaFile, ...bounds } = config.clusters;
  const { createHub } = await import('./hub/index.ts');
  const caPem = adhocCaFile === undefined ? undefined : await readCa(adhocCaFile);
  const hub = await createHub({
    ...bounds,
    source: {
      file,
      kubeContexts,
      kubeconfig: config.kubernetes.kubeconfig,
      environment: process.env,
    },
    adhoc: allowAdhoc.length > 0 ? { hosts: allowAdhoc, caPem } : undefined,
    tiller: tillerCallOptionsOf(config, metrics),
    serviceOf,
    log: (level, message, fields) => log[level](message, fields),
  });
  log.info(`serving ${hub.names().length} clusters at /clusters`);
  const clusterMetrics = metrics.clusters();
  clusterMetrics.watchStates(hub.states);
  return {
    ...hub,
    finished({ cluster, code }) {
      if (cluster !== undefined) clusterMetrics.called(cluster, code);
    },
  };
}

async function readCa(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch(cause => {
    throw invalidArgument(`--adhoc-ca-file: ${file} cannot be read`, { cause });
  });
  if (!text.includes('-----BEGIN CERTIFICATE-----')) {
    throw invalidArgument(`--adhoc-ca-file: ${file} holds no certificate in PEM`);
  }
  return text;
}
