/*
 * helm-wrapper's command line. It starts this program where the command is called `helm-wrapper`, or with `--compat
 * helm-wrapper`: its flags are read first, and what they mean here takes their place.
 */

import { existsSync } from 'node:fs';

/** What is given to the program: its arguments, and what it was called by. */
export interface CommandLine {
  /** Without the program's name. */
  readonly argv: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The file that was started, such as `/usr/local/bin/helm-wrapper`. */
  readonly command?: string | undefined;
}

/** Whether the program is to be started as helm-wrapper is. */
export function isHelmWrapper({ argv, environment, command = '' }: CommandLine): boolean {
  return (
    /(?:^|[/\\])helm-wrapper(?:\.[cm]?js)?$/.test(command) ||
    environment.TILLER_GATEWAY_COMPAT === 'helm-wrapper' ||
    argv.some((word, index) =>
      /^--?compat$/.test(word) ? argv[index + 1] === 'helm-wrapper' : /^--?compat=helm-wrapper$/.test(word),
    )
  );
}

/** Flags of helm-wrapper that mean nothing here, and why. */
const withoutEffect: Readonly<Record<string, string>> = {
  namespace: 'requests name their namespace',
  n: 'requests name their namespace',
  'registry-config':
    'credentials of registries are in helmRegistries, or in the file of --chart-repo-credentials',
  'repository-config': 'added repositories are kept in the file of --chart-repo-file',
  'repository-cache': 'indexes are kept in memory',
};

/** helm-wrapper listens there; the host is this gateway's own default unless it is given. */
const defaultPort = '8080';

/** helm-wrapper's own default. */
const defaultConfig = 'config.yaml';

/**
 * This program's arguments for those of helm-wrapper. What is no flag of helm-wrapper stays as it is.
 * @param hostIfNone where to listen when no host is given
 */
export function fromHelmWrapper(
  { argv, environment }: CommandLine,
  hostIfNone: string,
  exists: (path: string) => boolean = existsSync,
): { readonly argv: readonly string[]; readonly warnings: readonly string[] } {
  const own: string[] = ['--compat=helm-wrapper'];
  const warnings: string[] = [];
  const given: Partial<Record<'addr' | 'port' | 'config', string>> = {};
  const rest = [...argv];
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    const [, name = '', attached] = /^--?([\w-]+)(?:=(.*))?$/s.exec(word) ?? [];
    const value = () => attached ?? rest.shift() ?? '';
    if (name === 'addr' || name === 'port' || name === 'config') given[name] = value();
    else if (name === 'compat') value();
    else if (name === 'debug') own.push('--log-level=debug');
    else if (Object.hasOwn(withoutEffect, name)) {
      value();
      warnings.push(`${word.split('=', 1)[0]}: no effect: ${withoutEffect[name]}`);
    } else own.push(word);
  }
  const { addr, port, config } = given;
  const { TILLER_GATEWAY_ADDR: address, TILLER_GATEWAY_HELM_WRAPPER_CONFIG: file } = environment;
  if (addr !== undefined || port !== undefined || !address) {
    own.push(`--addr=${toAddress(addr ?? hostIfNone, port)}`);
    if (addr === undefined && hostIfNone !== '')
      warnings.push(
        `listening on ${hostIfNone} only: --addr 0.0.0.0 is every address, as helm-wrapper has it`,
      );
  }
  if (config !== undefined || (!file && exists(defaultConfig)))
    own.push(`--helm-wrapper-config=${config ?? defaultConfig}`);
  else if (!file)
    warnings.push(`there is no ${defaultConfig}: no repositories and no folder of uploads are configured`);
  return { argv: own, warnings };
}

/** helm-wrapper's host and port; a host that has a port of its own is this program's form of address already. */
function toAddress(host: string, port: string | undefined): string {
  if (port === undefined && /^(?:[^:]*|\[.*\]):\d+$/.test(host)) return host;
  const bracketed = host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
  return `${bracketed}:${port ?? defaultPort}`;
}
