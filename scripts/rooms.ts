/**
 * Which room may import which (DESIGN: "Rooms"). `protocol` is below every room. While the house is being rebuilt some
 * rows are wider than they shall be.
 */
export const rooms: Record<string, readonly string[]> = {
  protocol: [],
  yaml: ['protocol'],
  config: ['protocol', 'yaml'],
  codec: ['protocol'],
  observe: ['protocol', 'config'],
  kubernetes: ['protocol', 'yaml'],
  charts: ['protocol', 'codec', 'yaml', 'kubernetes'],
  backends: ['protocol', 'kubernetes', 'codec', 'yaml'],
  releases: ['protocol', 'charts', 'backends', 'codec', 'yaml'],
  clusters: ['protocol', 'backends', 'kubernetes', 'config', 'codec', 'yaml'],
  access: ['protocol', 'kubernetes'],
  http: ['protocol', 'access', 'clusters'],
  rest: ['protocol', 'http', 'releases', 'codec', 'clusters'],
  dialects: ['protocol', 'http', 'releases', 'charts', 'codec', 'clusters', 'yaml'],
  grpc: ['protocol', 'http', 'releases', 'codec', 'clusters', 'access', 'backends'],
  listener: ['protocol', 'config'],
  sandbox: ['protocol', 'codec', 'backends'],
  app: [
    'protocol',
    'yaml',
    'config',
    'codec',
    'observe',
    'kubernetes',
    'charts',
    'backends',
    'releases',
    'clusters',
    'access',
    'http',
    'rest',
    'dialects',
    'grpc',
    'listener',
    'sandbox',
  ],
};

/**
 * Words of ours that DESIGN calls gone, as they would stand in a name, a comment, a message or a document. The class
 * around one letter keeps this list from finding itself.
 */
export const goneWords: readonly RegExp[] = [
  /\bw[a]ys?\b/i,
  /\bels[e]where\b/i,
  /\btold o[f]\b/i,
  /\bhindr[a]nces?\b/i,
  /\bn[a]ming\b/i,
  /\bl[a]sting\b/i,
  // as a noun: a name for what a search gave
  /\b(?:const|let|var|type|interface|class|the|a|what is|readonly)\s+f[o]und\b/i,
];
