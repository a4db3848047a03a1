/** The one port and its protocols. */
import { loadTests } from '../support/load-tests.ts';

loadTests(
  'test/listener-*.test.ts',
  'test/client-resets.test.ts',
  'test/drain-under-load.test.ts',
  'test/health-watch-stop.test.ts',
  'test/large-requests.test.ts',
  'test/long-trailers.test.ts',
  'test/one-port.test.ts',
  'test/odd-requests.test.ts',
  'test/gateway-fuzz.test.ts',
);
