/** The sandbox, and what judges it. */
import { loadTests } from '../support/load-tests.ts';

loadTests(
  'test/sandbox-*.test.ts',
  'test/renderer-conformance.test.ts',
  'test/stub-tiller.test.ts',
  'test/killers.test.ts',
  'test/conformance-rest.test.ts',
);
