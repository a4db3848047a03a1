/** Charts rendered as Tiller 2.17.0 renders them, and YAML as Helm 2's Go libraries read and write it. */
export type {
  Chart,
  ChartFile,
  Config,
  Hook,
  HookDeletePolicy,
  HookEvent,
  Maintainer,
  Metadata,
  TemplateFile,
} from './chart/chart.ts';
export { HelmRenderError } from './chart/helm-render-error.ts';
export { defaultRenderLimits, type RenderLimits } from './go/limits.ts';
export type { ManifestDocument } from './manifest/uninstall.ts';
export type { ReleaseOptions } from './objects/release.ts';
export {
  coalesceValues,
  type RenderInput,
  type RenderOutput,
  readForUninstall,
  renderRelease,
} from './render.ts';
export { resourceTable } from './status/resource-table.ts';
export { kubernetesVersion, tillerVersion } from './versions.ts';
export { compareUtf8, goJson, parseYaml, writeYaml, type YamlMap, type YamlValue } from './yaml/index.ts';
