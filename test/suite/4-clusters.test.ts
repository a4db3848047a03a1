/** Connections to one cluster. */
import { loadTests } from '../support/load-tests.ts';

loadTests(
  'test/clusters-[!f]*.test.ts',
  'test/kubeconfig-conformance.test.ts',
  'test/keepalive.test.ts',
  'test/back-off.test.ts',
  'test/envtest.test.ts',
  'test/probe-address.test.ts',
);
