/** Charts rendered as Tiller 2.17.0 renders them. */
export { coalesceValues } from './coalesce.ts';
export { defaultRenderLimits, type RenderLimits } from './go/limits.ts';
export { kubernetesVersion, tillerVersion } from './objects/capabilities.ts';
export type { ReleaseOptions } from './objects/release.ts';
export { type RenderInput, type RenderOutput, renderRelease } from './render.ts';
export { resourceTable } from './status/resource-table.ts';
