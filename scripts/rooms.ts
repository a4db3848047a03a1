/**
 * Which room may import which (DESIGN.md, "Rooms"). `protocol` is below every room: the closed set of codes, the one
 * error class and gRPC's wire rules that both the front and the Tiller client need.
 */
export const rooms: Record<string, readonly string[]> = {
  protocol: [],
  config: ['protocol'],
  codec: ['protocol'],
  observe: ['protocol', 'config'],
  clusters: ['protocol'],
  charts: ['protocol', 'codec'],
  tiller: ['protocol', 'clusters', 'codec'],
  releases: ['protocol', 'charts', 'tiller', 'codec'],
  rest: ['protocol', 'releases', 'codec'],
  grpc: ['protocol', 'releases', 'codec', 'tiller'],
  // above the fronts, since it answers with them: each of its clusters is the same service behind the same routes
  hub: ['protocol', 'clusters', 'codec', 'tiller', 'releases', 'rest', 'grpc'],
  listener: ['protocol', 'config'],
  access: ['protocol', 'clusters'],
  sandbox: ['protocol', 'codec', 'charts'],
  app: [
    'protocol',
    'config',
    'codec',
    'observe',
    'clusters',
    'charts',
    'tiller',
    'releases',
    'rest',
    'grpc',
    'hub',
    'listener',
    'access',
    'sandbox',
  ],
};
