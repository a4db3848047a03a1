/** Tests with a real browser: as it is imported at the top here, it is closed after all of them. */
import '../support/browser.ts';
import { loadTests } from '../support/load-tests.ts';

loadTests(
  'test/browser.test.ts',
  'test/browser-attacks.test.ts',
  'test/grpc-web.test.ts',
  'test/helm-wrapper-browser.test.ts',
);
