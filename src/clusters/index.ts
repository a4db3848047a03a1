export type { ClusterReport, ClusterState } from './breaker.ts';
export { Cluster, type ClusterLog } from './cluster.ts';
export { createClusterSource, keepUpToDate, type SourceProblem } from './cluster-source.ts';
export { Registry, type RegistryOptions } from './registry.ts';
export { adhocLabel, readSelection, type Selection } from './selection.ts';
export { openUpstream, type Upstream, type UpstreamOptions } from './upstreams/index.ts';
export type { ClusterEntry } from './upstreams/upstream.ts';
