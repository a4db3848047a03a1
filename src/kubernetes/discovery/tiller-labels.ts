import { invalidArgument } from '../../protocol/index.ts';

/** The labels `helm init` puts on Tiller's Deployment, Pods and Service. */
export const defaultTillerLabels = 'app=helm,name=tiller';

const label = /^([a-z0-9.-]+\/)?[A-Za-z0-9]([\w.-]*[A-Za-z0-9])?=([A-Za-z0-9]([\w.-]*[A-Za-z0-9])?)?$/;

/** @throws GatewayError INVALID_ARGUMENT unless it is `key=value,key=value` */
export function validateTillerLabels(labels: string): string {
  if (labels.split(',').every(part => label.test(part))) return labels;
  throw invalidArgument(`${JSON.stringify(labels)} are not labels: expected key=value,key=value`);
}
