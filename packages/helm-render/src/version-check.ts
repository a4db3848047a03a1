import type { Metadata } from './chart/chart.ts';
import { HelmRenderError } from './chart/helm-render-error.ts';
import { utf8ToBytes } from './go/bytes.ts';
import { type FunctionTable, GoError } from './go/function.ts';
import { kubernetesVersion, tillerVersion } from './versions.ts';

/** Whether a version lies in a range, by the rules of the template function `semverCompare`; a wrong range holds none. */
function isInRange(range: string, version: string, library: FunctionTable): boolean {
  const context = { now: new Date(0), charge: () => undefined };
  try {
    return library.get('semverCompare')?.call([utf8ToBytes(range), version], context) === true;
  } catch (error) {
    if (error instanceof GoError) return false;
    throw error;
  }
}

/** Refuses a chart made for another Tiller or another Kubernetes. @throws HelmRenderError with Tiller's text */
export function checkVersions(metadata: Metadata | null, library: FunctionTable): void {
  if (metadata === null) return;
  const tiller = tillerVersion.semVer;
  if (metadata.tillerVersion !== '' && !isInRange(metadata.tillerVersion, tiller, library)) {
    throw new HelmRenderError(`Chart incompatible with Tiller ${tiller}`);
  }
  const kubernetes = kubernetesVersion.gitVersion.split('+')[0]!;
  if (metadata.kubeVersion !== '' && !isInRange(metadata.kubeVersion, kubernetes, library)) {
    const wanted = `Chart requires kubernetesVersion: ${metadata.kubeVersion}`;
    throw new HelmRenderError(`${wanted} which is incompatible with Kubernetes ${kubernetes}`);
  }
}
