import type { Config } from '../config/index.ts';
import {
  type Connector,
  createDirectConnector,
  createInclusterConnector,
  createKubeconfigConnector,
  parseEndpoint,
} from '../kubernetes/index.ts';
import { invalidArgument } from '../protocol/index.ts';
import type { OpenSandbox } from './open-sandbox.ts';

/** How Tiller is reached, as `--connector` says. */
export interface TillerWay {
  readonly connector: Connector;
  /** True where the endpoint itself asks for TLS. */
  readonly endpointIsTls: boolean;
  /** The sandbox behind the connector `sandbox`. */
  readonly sandbox?: OpenSandbox;
}

/**
 * Makes the connector that the configuration names; the sandbox is started for its own.
 * @param report told in a sentence of what is wrong with the sandbox's kept releases
 */
export async function openTillerWay(config: Config, report: (problem: string) => void): Promise<TillerWay> {
  const { tiller, kubernetes } = config;
  const namespace =
    kubernetes.tillerNamespace === undefined ? {} : { tillerNamespace: kubernetes.tillerNamespace };
  switch (tiller.connector) {
    case 'direct': {
      if (tiller.endpoint === undefined) throw invalidArgument('--connector direct needs --tiller-endpoint');
      const endpointIsTls = parseEndpoint(tiller.endpoint).tls === true;
      return { connector: createDirectConnector({ endpoint: tiller.endpoint }), endpointIsTls };
    }
    case 'incluster':
      return { connector: createInclusterConnector(namespace), endpointIsTls: false };
    case 'kubeconfig': {
      const file = kubernetes.kubeconfig === undefined ? {} : { kubeconfig: { file: kubernetes.kubeconfig } };
      const context = kubernetes.context === undefined ? {} : { context: kubernetes.context };
      return {
        connector: createKubeconfigConnector({ ...file, ...context, ...namespace }),
        endpointIsTls: false,
      };
    }
    case 'sandbox': {
      // The one place where the product knows of the sandbox, and only when it is asked for.
      const { openSandbox } = await import('./open-sandbox.ts');
      const sandbox = await openSandbox(config, report);
      return { connector: sandbox.connector, endpointIsTls: false, sandbox };
    }
  }
}
