export type { Backend } from '../backends/index.ts';
export { Cluster } from './cluster.ts';
export { createClusterSource, keepUpToDate, type SourceProblem } from './cluster-source.ts';
export { Registry, type RegistryOptions } from './registry.ts';
export { adhocLabel, readSelection, type Selection } from './selection.ts';
export { openUpstream } from './upstreams/open-upstream.ts';
export type { ClusterEntry } from './upstreams/upstream.ts';
