import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { loadConfig } from './config.ts';
import { fromHelmWrapper, isHelmWrapper } from './helm-wrapper.ts';

const environment = {};

describe('which command line is helm-wrapper’s', () => {
  for (const [command, argv, expected] of [
    ['/usr/local/bin/helm-wrapper', [], true],
    ['helm-wrapper.js', [], true],
    ['/usr/local/bin/tiller-gateway', [], false],
    ['/opt/helm-wrapper/dist/main.js', [], false],
    ['main.js', ['--compat', 'helm-wrapper'], true],
    ['main.js', ['--compat=helm-wrapper'], true],
    ['main.js', ['--compat=other'], false],
    ['main.js', ['--dialects=helm-wrapper'], false],
  ] as const) {
    test(`${command} ${argv.join(' ')}`, () =>
      assert.equal(isHelmWrapper({ command, argv, environment }), expected));
  }

  test('by the environment', () => {
    assert.ok(isHelmWrapper({ argv: [], environment: { TILLER_GATEWAY_COMPAT: 'helm-wrapper' } }));
  });
});

describe('its flags as ours', () => {
  const translate = (argv: string[], host = '127.0.0.1', exists = true) =>
    fromHelmWrapper({ argv, environment }, host, () => exists);
  const config = '--helm-wrapper-config=config.yaml';

  for (const [argv, expected] of [
    [[], ['--addr=127.0.0.1:8080', config]],
    [
      ['--port', '80'],
      ['--addr=127.0.0.1:80', config],
    ],
    [
      ['--addr', '0.0.0.0'],
      ['--addr=0.0.0.0:8080', config],
    ],
    [
      ['--addr=::1', '--port=1'],
      ['--addr=[::1]:1', config],
    ],
    [
      ['--addr', '127.0.0.1:0'],
      ['--addr=127.0.0.1:0', config],
    ],
    [['--addr=[::1]:0'], ['--addr=[::1]:0', config]],
    [
      ['--config', 'f.yaml'],
      ['--addr=127.0.0.1:8080', '--helm-wrapper-config=f.yaml'],
    ],
    [['--debug'], ['--log-level=debug', '--addr=127.0.0.1:8080', config]],
    [
      ['--kubeconfig', 'k', '--kube-context=c', '--v', '4', '-n', 'x'],
      ['--kubeconfig', 'k', '--kube-context=c', '--v', '4', '--addr=127.0.0.1:8080', config],
    ],
  ] as const) {
    test(`helm-wrapper ${argv.join(' ')}`, () => {
      assert.deepEqual(translate([...argv]).argv, ['--compat=helm-wrapper', ...expected]);
    });
  }

  test('in a pod every address is listened on', () => {
    assert.ok(translate([], '').argv.includes('--addr=:8080'));
    assert.deepEqual(translate([], '').warnings, []);
  });

  test('what has no effect, or another one, is warned of', () => {
    const { argv, warnings } = translate(
      ['--registry-config', 'r', '-n=x', '--repository-cache=c'],
      '127.0.0.1',
      false,
    );
    assert.deepEqual(argv, ['--compat=helm-wrapper', '--addr=127.0.0.1:8080']);
    assert.deepEqual(
      warnings.map(warning => warning.replace(/:.*/, '')),
      [
        '--registry-config',
        '-n',
        '--repository-cache',
        'listening on 127.0.0.1 only',
        'there is no config.yaml',
      ],
    );
  });

  test('its environment is this program’s', () => {
    const given = { TILLER_GATEWAY_ADDR: ':1', TILLER_GATEWAY_HELM_WRAPPER_CONFIG: 'f' };
    assert.deepEqual(fromHelmWrapper({ argv: [], environment: given }, '').argv, ['--compat=helm-wrapper']);
  });
});

describe('the configuration that comes of it', () => {
  const load = (...argv: string[]) => loadConfig({ argv: ['--compat=helm-wrapper', ...argv], environment });

  test('its API, a kubeconfig, and every context of that', async () => {
    const { dialects, tiller, clusters, listener } = await load('--kubeconfig=k');
    assert.deepEqual(dialects.names, ['helm-wrapper']);
    assert.equal(tiller.connector, 'kubeconfig');
    assert.deepEqual(clusters.kubeContexts, ['all']);
    assert.deepEqual(listener.addr, { host: '127.0.0.1', port: 8080 });
  });

  test('its contexts count beside API servers that requests name, but not beside listed clusters', async () => {
    const contexts = async (flag: string) => (await load('--kubeconfig=k', flag)).clusters.kubeContexts;
    assert.deepEqual(await contexts('--allow-adhoc-clusters=a.example'), ['all']);
    assert.deepEqual(await contexts('--clusters=f'), []);
    assert.deepEqual(await contexts('--kube-contexts=a'), ['a']);
  });

  test('without a kubeconfig as well, unless another connector is asked for', async () => {
    assert.equal((await load()).tiller.connector, 'kubeconfig');
    const { tiller, clusters } = await load('--connector=sandbox');
    assert.deepEqual([tiller.connector, clusters.kubeContexts], ['sandbox', []]);
  });

  test('credentials on the command line, which helm has flags for, are refused', async () => {
    await assert.rejects(load('--kube-token=secret'), /--kube-token is not a flag/);
  });
});
