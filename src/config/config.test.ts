import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { exampleOf } from '../../test/support/option-example.ts';
import { completeConfig, type LoadedConfig, loadConfig, readValues } from './config.ts';
import { type Need, needs } from './option.ts';
import { allOptions } from './options.ts';

const folder = mkdtempSync(join(tmpdir(), 'config-'));
after(() => rmSync(folder, { recursive: true }));

function load(argv: string[], environment: Record<string, string> = {}): Promise<LoadedConfig> {
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
      const surroundings = { inPod: inCluster, hasServiceAccount: inCluster };
      const byFlag = new Map(settings.map(([name, value]) => [name, { texts: [value], where: name }]));
      assert.equal(completeConfig(readValues(byFlag).config, surroundings).tiller.connector, connector);
    });
  }

  test('every address is the default in a pod only', async () => {
    const pod = { KUBERNETES_SERVICE_HOST: '10.96.0.1' };
    const connectors = [[], ['--tiller-endpoint=t'], ['--connector=kubeconfig'], ['--kube-contexts=all']];
    for (const argv of [...connectors, ['--connector=incluster'], ['--connector=sandbox']]) {
      assert.deepEqual((await load(argv)).listener.addr, { host: '127.0.0.1', port: 9855 }, String(argv));
      assert.deepEqual((await load(argv, pod)).listener.addr, { host: undefined, port: 9855 }, String(argv));
    }
    assert.deepEqual((await load(['--plaintext-addr=:80'])).listener.addr, { host: undefined, port: 80 });
  });

  test('a client CA asks for certificates without requiring them', async () => {
    const tls = ['--tls-cert-file=c', '--tls-private-key-file=k'];
    assert.equal((await load(tls)).tls.clientAuth, 'none');
    assert.equal((await load([...tls, '--tls-ca-file=a'])).tls.clientAuth, 'optional');
  });
});

describe('options without effect', () => {
  const tls = ['--tls-cert-file=c', '--tls-private-key-file=k'];
  const client = ['--tiller-client-cert-file=c', '--tiller-client-private-key-file=k'];
  /** For each need the flags that meet it, and those that make sure that it is not met. */
  const flags: Record<Need, { met: string[]; unmet?: string[] }> = {
    certificate: { met: tls },
    'private-key': { met: tls },
    'client-ca': { met: [...tls, '--tls-ca-file=a'] },
    'client-verification': {
      met: ['--tls-client-auth=required'],
      unmet: ['--tls-client-auth=none'],
    },
    'helm-wrapper': { met: ['--dialects=helm-wrapper'] },
    direct: { met: ['--connector=direct', '--tiller-endpoint=t:1'], unmet: ['--connector=sandbox'] },
    kubeconfig: { met: ['--connector=kubeconfig'], unmet: ['--connector=incluster'] },
    'kubeconfig-reader': { met: ['--kube-contexts=all'], unmet: ['--connector=sandbox'] },
    kubernetes: { met: ['--connector=incluster'], unmet: ['--connector=sandbox'] },
    'kubernetes-api': {
      met: ['--connector=sandbox'],
      unmet: ['--connector=direct', '--tiller-endpoint=t:1'],
    },
    records: { met: [], unmet: ['--reads=tiller'] },
    'records-helm3': { met: ['--records=helm3'] },
    sandbox: { met: ['--connector=sandbox'], unmet: ['--connector=incluster'] },
    tiller: { met: ['--connector=incluster'], unmet: ['--connector=sandbox'] },
    'tiller-tls': {
      met: ['--connector=direct', '--tiller-endpoint=https://t:1'],
      unmet: ['--connector=incluster'],
    },
    'client-certificate': { met: client },
    'client-key': { met: client },
    clusters: { met: ['--allow-adhoc-clusters=a.example'] },
    'listed-clusters': { met: ['--clusters=f'], unmet: ['--allow-adhoc-clusters=a.example'] },
    'adhoc-clusters': { met: ['--allow-adhoc-clusters=a.example'] },
    'chart-upload-dir': { met: ['--chart-upload-dir=/uploads'] },
    cors: { met: ['--enable-cors'] },
    'cors-hosts': { met: ['--cors-origin-host=a.example'] },
  };

  for (const placed of allOptions.filter(({ option }) => option.needs.length > 0)) {
    const { option } = placed;
    const given = `--${option.flag}=${option.off === undefined ? exampleOf(placed) : 'required'}`;
    const metBut = (left?: Need) =>
      option.needs.filter(need => need !== left).flatMap(need => flags[need].met);

    test(`${given} is accepted with what it needs`, async () => {
      const { warnings } = await load([given, ...metBut()]);
      assert.deepEqual(warnings, []);
    });

    for (const need of option.needs) {
      const argv = [...metBut(need), ...(flags[need].unmet ?? []), given];
      test(`${argv.join(' ')} is ${option.lenient ? 'ignored' : 'refused'}`, async () => {
        const text = option.lenient
          ? `--${option.flag}: no effect without ${needs[need]}`
          : `--${option.flag} needs ${needs[need]}`;
        const said = option.lenient ? (await load(argv)).warnings : await mistakesOf(...argv);
        assert.ok(said.includes(text), `${text} is not in ${said.join('\n')}`);
      });
    }
  }

  test('are accepted at their default, which asks for nothing', async () => {
    const argv = ['--no-tls-only', '--tls-client-auth=none', '--cors-origin-host=*', '--cluster-idle=10m'];
    assert.deepEqual((await load(argv)).warnings, []);
  });

  test('the connector direct needs an endpoint', async () => {
    assert.deepEqual(await mistakesOf('--connector=direct'), ['--connector direct needs --tiller-endpoint']);
  });
});

describe("swift's own command lines", () => {
  const line = 'run --v=3 --connector=incluster --tiller-insecure-skip-verify=true --enable-analytics=false';

  test('its Deployment starts, with a warning for each flag that does something else here', async () => {
    const { tiller, observe, warnings } = await load(line.split(' '));
    assert.deepEqual(
      [tiller.connector, tiller.insecureSkipVerify, observe.logLevel],
      ['incluster', true, 'info'],
    );
    assert.deepEqual(
      warnings.map(warning => warning.split(':')[0]),
      ['--tiller-insecure-skip-verify', '--v', '--enable-analytics'],
    );
  });

  for (const placed of allOptions.filter(({ option }) => option.compatibility !== undefined)) {
    const { option } = placed;
    const dashes = option.flag.length === 1 ? '-' : '--';
    test(`${dashes}${option.flag} is accepted with one warning that says what it does here`, async () => {
      const texts =
        option.placeholder === '' ? [`--${option.flag}`] : [`--${option.flag}`, exampleOf(placed)];
      assert.deepEqual((await load(texts)).warnings, [`--${option.flag}: ${option.compatibility}`]);
      const attached = `--${option.flag}=${option.placeholder === '' ? 'false' : exampleOf(placed)}`;
      assert.equal((await load([attached])).warnings.length, 1);
    });
  }

  test("glog's flags all at once, --secure-addr without a certificate, and verbosity 4", async () => {
    const glog =
      '-v=4 --logtostderr --alsologtostderr=false --stderrthreshold=2 --log_dir /tmp --log_backtrace_at=:0';
    const more = '--log-flush-frequency=5s --vmodule=a=2 --api-domain=x.example --secure-addr=:50055';
    const { observe, warnings } = await load(`run ${glog} ${more}`.split(' '));
    assert.equal(observe.logLevel, 'debug');
    assert.equal(warnings.length, 10);
    assert.ok(warnings.includes('--secure-addr: no effect without --tls-cert-file'));
    assert.equal((await load(['--v=9', '--log-level=warn'])).observe.logLevel, 'warn');
  });

  const verbosities = ['-v 4', '-v4', '-v=4', '--v 4', '--v=4', '-v=+4', '--v=04', '--v=2147483647'];
  const quieter = ['-v3', '-v-1', '-v -1', '--v=-1', '--v=-2147483648', '--v=0'];
  for (const given of [...verbosities, ...quieter]) {
    test(`${given} is read as glog reads it, before and after run`, async () => {
      for (const line of [`run ${given}`, `${given} run`]) {
        const { observe, warnings } = await load(line.split(' '));
        assert.equal(observe.logLevel, quieter.includes(given) ? 'info' : 'debug');
        assert.equal(warnings.length, 1);
      }
    });
  }

  for (const line of ['version', '--v=3 version', 'version --short', '-v3 --logtostderr version --v=4']) {
    test(`${line} prints the version, with one warning`, async () => {
      const { program, warnings } = await load(line.split(' '));
      assert.equal(program.version, true);
      assert.deepEqual(
        warnings.map(warning => warning.split(':')[0]),
        ['version'],
      );
    });
  }

  test('the command help is --help', async () => {
    assert.equal((await load(['help'])).program.help, true);
    assert.equal((await load(['--version'])).warnings.length, 0);
  });
});
