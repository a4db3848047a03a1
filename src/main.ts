#!/usr/bin/env node
/** The command: reads the configuration, starts the gateway, and stops it on signals. */
import { readFileSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';
import { checkHealth } from './app/health-check.ts';
import {
  formatConfig,
  formatListenAddress,
  helpText,
  type LoadedConfig,
  loadConfig,
} from './config/index.ts';
import { createLogger, type Logger } from './observe/index.ts';
import { GatewayError } from './protocol/index.ts';

/**
 * Compiled code of the last start, which halves the time of the next. Beside the dependencies and not in the shared
 * temporary folder, where another user could plant code; where it cannot be written, nothing is kept.
 */
const compileCacheFolder = fileURLToPath(new URL('../node_modules/.cache/compile', import.meta.url));

/** Exit codes: 0 after a stop on request, 1 for a failure, 2 for a wrong command line. */
process.exitCode = await run();

async function run(): Promise<number> {
  let config: LoadedConfig;
  try {
    const [, command, ...argv] = process.argv;
    config = await loadConfig({ argv, environment: process.env, command });
  } catch (error) {
    process.stderr.write(`${GatewayError.from(error).message}\n`);
    return 2;
  }
  const { help, version, printConfig, healthCheck } = config.program;
  if (help) return print(helpText());
  if (version) {
    for (const warning of config.warnings) process.stderr.write(`${warning}\n`);
    return print(`${readVersion()}\n`);
  }
  if (printConfig) return print(formatConfig(config));
  if (healthCheck) {
    const { ok, reason } = await checkHealth(config, healthCheck);
    print(`${reason}\n`);
    return ok ? 0 : 1;
  }
  return serve(config);
}

/** Runs until a signal comes. SIGTERM and SIGINT stop it in order; a second one at once. */
async function serve(config: LoadedConfig): Promise<number> {
  const { logLevel, logFormat } = config.observe;
  const format = logFormat ?? (process.stdout.isTTY ? 'text' : 'json');
  const log = createLogger({ level: logLevel, format, stream: process.stdout });
  const asked = stopSignal(log);
  process.on('uncaughtException', error => {
    log.error('a fault of the program', { error });
    process.exit(1);
  });
  // unlike an exception out of a callback it leaves nothing half done: what it belonged to has failed, the rest goes on
  let unawaited = 0;
  process.on('unhandledRejection', error => {
    log.error('a fault of the program, in work that nothing waited for', { error, count: ++unawaited });
  });
  process.stdout.on('error', () => {}); // nobody reads the log any more; requests are still served
  for (const warning of config.warnings) log.warn(warning);
  try {
    enableCompileCache(compileCacheFolder);
    // loaded here, so that --help, --version and the health check do without the libraries of the whole program
    const { startGateway } = await import('./app/gateway.ts');
    const gateway = await startGateway(config, readVersion(), log);
    for (const { address, port } of gateway.addresses) {
      log.info(`listening on ${formatListenAddress({ host: address, port })}`, { tiller: gateway.tiller });
    }
    const { probeAddress } = gateway;
    if (probeAddress) {
      const { address, port } = probeAddress;
      log.info(`answering probes on ${formatListenAddress({ host: address, port })}`);
    }
    log.info('stopping', { signal: await asked });
    await gateway.stop();
    log.info('stopped');
    return 0;
  } catch (error) {
    log.error('cannot start', { error });
    return 1;
  } finally {
    // what a library still holds open must not keep a stopped program alive
    setImmediate(() => process.exit());
  }
}

/** Settles with the first signal. In a container this process is number 1, which no signal stops without a listener. */
function stopSignal(log: Logger): Promise<NodeJS.Signals> {
  const { promise, resolve } = Promise.withResolvers<NodeJS.Signals>();
  let seen = false;
  const take = (signal: NodeJS.Signals) => {
    if (seen) {
      log.warn('stopping at once', { signal });
      process.exit(1);
    }
    seen = true;
    resolve(signal);
  };
  process.on('SIGTERM', take).on('SIGINT', take);
  return promise;
}

function print(text: string): number {
  process.stdout.write(text);
  return 0;
}

/** The package's version; `package.json` is one folder up from both `src/` and `dist/`. */
function readVersion(): string {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  return String(version);
}
