/**
 * Loaded before each test file (`--import` in package.json): a connection, server, timer or child that a test left open
 * keeps the file's process alive, and that fails the file instead of hanging the suite.
 */
import { after } from 'node:test';

// the authorities of this machine are nothing that a test asks for, and reading them takes longer than most tests
process.env.SSL_CERT_FILE = '/dev/null';
delete process.env.SSL_CERT_DIR;

/** Sockets that are closing need a moment. */
const graceMs = 10_000;

// the runner itself, which has no tests of its own, loads this too
if (process.env.NODE_TEST_CONTEXT) {
  after(() => {
    const fail = (): never => {
      console.error(
        `left open by the tests of ${process.argv[1]}: ${process.getActiveResourcesInfo().join(', ')}`,
      );
      process.exit(1);
    };
    setTimeout(fail, graceMs).unref(); // fires only where something else keeps the process alive
  });
}
