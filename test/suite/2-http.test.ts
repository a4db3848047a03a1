/** HTTP/JSON and the dashboard. */
import { loadTests } from '../support/load-tests.ts';

loadTests(
  'test/http-*.test.ts',
  'test/rest-*.test.ts',
  'test/uploads-*.test.ts',
  'test/watch-http.test.ts',
  'test/write-timeout.test.ts',
  'test/service-proxy.test.ts',
  'test/proto-files.test.ts',
  'test/local-paths.test.ts',
);
