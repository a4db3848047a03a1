/**
 * Loaded before each test file (`--import` in package.json): a connection, server, timer or child that a test left open
 * keeps the file's process alive, and that fails the file instead of hanging the suite.
 */
import asyncHooks from 'node:async_hooks';

// the authorities of this machine are nothing that a test asks for, and reading them takes longer than most tests
process.env.SSL_CERT_FILE = '/dev/null';
delete process.env.SSL_CERT_DIR;

/** Sockets that are closing need a moment. */
const graceMs = 10_000;

// the runner itself, which has no tests of its own, loads this too
if (process.env.NODE_TEST_CONTEXT) {
  const { after } = loadRunner();
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

/**
 * Node's runner follows each promise, socket and timer by a hook, only to blame an uncaught error on a test instead of
 * on the file: that takes a tenth of all time. Without the hook such an error fails the file, and is printed here.
 */
function loadRunner(): typeof import('node:test') {
  const { createHook } = asyncHooks;
  const inert = { enable: () => inert, disable: () => inert };
  Object.assign(asyncHooks, { createHook: () => inert });
  const runner = process.getBuiltinModule('node:test');
  Object.assign(asyncHooks, { createHook });
  process.on('uncaughtExceptionMonitor', error => console.error('uncaught:', error));
  process.on('unhandledRejection', reason => console.error('unhandled rejection:', reason));
  return runner;
}
