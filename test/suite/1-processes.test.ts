/** The command in a process of its own, and its package. */
import { loadTests } from '../support/load-tests.ts';

loadTests(
  'test/process-*.test.ts',
  'test/package.test.ts',
  'test/readme.test.ts',
  'test/open-files.test.ts',
  'test/deploy-docs.test.ts',
  'test/every-test-file.test.ts',
);
