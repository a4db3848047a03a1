export { adhocLabel } from './adhoc.ts';
export { Cluster, type ClusterLog } from './cluster.ts';
export type { ClusterEntry } from './entry/cluster-entry.ts';
export { keepUpToDate, type SourceProblem } from './keep-up-to-date.ts';
export { Registry, type RegistryOptions } from './registry.ts';
export type { ClusterReport, ClusterState } from './report.ts';
export { readSelection, type Selection } from './selection.ts';
export { createClusterSource } from './source/cluster-source.ts';
export { openUpstream, type Upstream, type UpstreamOptions } from './upstreams/index.ts';
