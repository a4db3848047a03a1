import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { type Config, completeConfig } from './config.ts';
import { loadConfig } from './load-config.ts';
import { readValues } from './read-values.ts';

const folder = mkdtempSync(join(tmpdir(), 'config-'));
after(() => rmSync(folder, { recursive: true }));

function load(argv: string[], environment: Record<string, string> = {}): Promise<Config> {
  return loadConfig({ argv, environment });
}

async function mistakesOf(...argv: string[]): Promise<string[]> {
  return load(argv).then(
    () => [],
    (error: Error) => error.message.split('\n'),
  );
}

describe('loadConfig', () => {
  test('flags win over the environment, which wins over the file', async () => {
    const file = join(folder, 'order.yaml');
    writeFileSync(file, 'max-streams: 1\nmax-connections: 1\ndrain-timeout: 1s\n');
    const config = await load(['--max-streams=3', '--config', file], {
      TILLER_GATEWAY_MAX_STREAMS: '2',
      TILLER_GATEWAY_MAX_CONNECTIONS: '2',
    });
    assert.deepEqual(
      [config.limits.maxStreams, config.limits.maxConnections, config.listener.drainTimeoutMs],
      [3, 2, 1000],
    );
  });

  test('the file can be named by the environment', async () => {
    const file = join(folder, 'named.yaml');
    writeFileSync(file, 'log-level: debug\n');
    assert.equal((await load([], { TILLER_GATEWAY_CONFIG: file })).observe.logLevel, 'debug');
  });

  test('reports the mistakes of all sources at once', async () => {
    const file = join(folder, 'wrong.yaml');
    writeFileSync(file, 'nonsense: 1\n');
    await assert.rejects(
      load(['--adr=:1', '--max-streams=0', '--tls-only', '--config', file], { TILLER_GATEWAY_X: '1' }),
      {
        code: 3,
        message: [
          `${file}:1: nonsense is not an option`,
          'TILLER_GATEWAY_X is not a variable of this program',
          '--adr is not a flag; did you mean --addr?',
          '--max-streams: 0 is not in 1 to 100000',
          '--tls-only needs --tls-cert-file',
        ].join('\n'),
      },
    );
  });

  test('help and version work whatever else is wrong', async () => {
    assert.equal((await load(['--help', '--nonsense'])).program.help, true);
    assert.equal((await load(['--version'], { TILLER_GATEWAY_X: '1' })).program.version, true);
  });

  test('an empty value is as good as none', async () => {
    assert.equal((await load(['--kube-context=', '--addr='])).kubernetes.context, undefined);
  });
});

describe('defaults that depend on the surroundings', () => {
  const connectors: [string[], boolean, string][] = [
    [[], false, 'sandbox'],
    [[], true, 'incluster'],
    [['--tiller-endpoint=tiller:44134'], true, 'direct'],
    [['--kube-context=blue'], false, 'kubeconfig'],
    [['--connector=sandbox'], true, 'sandbox'],
  ];
  for (const [argv, inCluster, connector] of connectors) {
    test(`${argv.join(' ') || 'nothing given'} ${inCluster ? 'in' : 'outside'} a cluster: ${connector}`, async () => {
      const settings = argv.map(word => word.slice(2).split('=') as [string, string]);
      const byFlag = new Map(settings.map(([name, value]) => [name, { texts: [value], where: name }]));
      assert.equal(completeConfig(readValues(byFlag).config, inCluster).tiller.connector, connector);
    });
  }

  test('the sandbox listens on loopback, the others everywhere', async () => {
    assert.deepEqual((await load([])).listener.addr, { host: '127.0.0.1', port: 9855 });
    assert.deepEqual((await load(['--tiller-endpoint=t'])).listener.addr, { host: undefined, port: 9855 });
    assert.deepEqual((await load(['--plaintext-addr=:80'])).listener.addr, { host: undefined, port: 80 });
  });

  test('a client CA asks for certificates without requiring them', async () => {
    const tls = ['--tls-cert-file=c', '--tls-private-key-file=k'];
    assert.equal((await load(tls)).tls.clientAuth, 'none');
    assert.equal((await load([...tls, '--tls-ca-file=a'])).tls.clientAuth, 'optional');
  });
});

describe('rules between options', () => {
  const broken: [string[], string][] = [
    [['--tls-cert-file=c'], '--tls-cert-file and --tls-private-key-file belong together: one is missing'],
    [['--secure-addr=:1'], '--secure-addr needs --tls-cert-file'],
    [['--tls-only'], '--tls-only needs --tls-cert-file'],
    [['--tls-ca-file=a'], '--tls-ca-file needs --tls-cert-file'],
    [['--tls-client-auth=required'], '--tls-client-auth required needs --tls-ca-file'],
    [
      ['--tls-cert-file=c', '--tls-private-key-file=k', '--tls-ca-file=a', '--tls-client-auth=none'],
      '--tls-ca-file has no use with --tls-client-auth none',
    ],
    [['--connector=direct'], '--connector direct needs --tiller-endpoint'],
    [['--connector=sandbox', '--tiller-endpoint=t'], '--tiller-endpoint has no use with --connector sandbox'],
    [['--connector=incluster', '--kube-context=c'], '--kube-context has no use with --connector incluster'],
    [['--connector=sandbox', '--kubeconfig=f'], '--kubeconfig has no use with --connector sandbox'],
    [
      ['--connector=sandbox', '--tiller-namespace=n'],
      '--tiller-namespace has no use with --connector sandbox',
    ],
    [
      ['--kubeconfig=f', '--sandbox-kubeconfig=f'],
      '--sandbox-kubeconfig has no use with --connector kubeconfig',
    ],
    [['--connector=incluster', '--sandbox-dir=d'], '--sandbox-dir has no use with --connector incluster'],
    [
      ['--tiller-endpoint=t', '--tiller-client-cert-file=c'],
      '--tiller-client-cert-file and --tiller-client-private-key-file belong together: one is missing',
    ],
  ];
  for (const [argv, mistake] of broken) {
    test(mistake, async () => assert.deepEqual(await mistakesOf(...argv), [mistake]));
  }
});
