import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { duration, flag, list, text } from './option.ts';
import { environmentName, readEnvironment, readFlags, suggestion } from './read-settings.ts';

const flagOptions = [
  duration('wait-time', 'W.', { aliases: ['patience', 'w'], default: '1s', range: ['0s', '1m'] }),
  flag('enable-cors', 'C.'),
  list('host', 'H.'),
];

function texts(...argv: string[]): Record<string, readonly string[]> {
  const { byFlag, mistakes } = readFlags(argv, flagOptions);
  assert.deepEqual(mistakes, []);
  return Object.fromEntries([...byFlag].map(([name, setting]) => [name, setting.texts]));
}

describe('readFlags', () => {
  test('reads a value behind a space and behind =', () => {
    assert.deepEqual(texts('--wait-time', '5s'), { 'wait-time': ['5s'] });
    assert.deepEqual(texts('--wait-time=5s'), { 'wait-time': ['5s'] });
    assert.deepEqual(texts('--host=a=b'), { host: ['a=b'] });
  });

  test('files an alias under the name itself', () => {
    assert.deepEqual(texts('--patience=5s'), { 'wait-time': ['5s'] });
    assert.deepEqual(texts('-w', '5s'), { 'wait-time': ['5s'] });
  });

  test('takes the last of several, and all of a repeatable one', () => {
    assert.deepEqual(texts('--wait-time=1s', '--wait-time=2s'), { 'wait-time': ['2s'] });
    assert.deepEqual(texts('--host', 'a', '--host', 'b'), { host: ['a', 'b'] });
  });

  test('reads booleans without a value, with one, and with no-', () => {
    assert.deepEqual(texts('--enable-cors'), { 'enable-cors': ['true'] });
    assert.deepEqual(texts('--enable-cors=false'), { 'enable-cors': ['false'] });
    assert.deepEqual(texts('--no-enable-cors'), { 'enable-cors': ['false'] });
  });

  test("skips swift's command run, before or between flags", () => {
    for (const argv of [
      ['run', '--enable-cors'],
      ['--enable-cors', 'run'],
    ]) {
      assert.deepEqual(texts(...argv), { 'enable-cors': ['true'] });
    }
  });

  const wrong: [string[], string][] = [
    [['--wait-tim=1s'], '--wait-tim is not a flag; did you mean --wait-time?'],
    [['--something-else'], '--something-else is not a flag'],
    [['--no-wait-time'], '--no-wait-time is not a flag'],
    [['--wait-time'], '--wait-time needs a value: --wait-time DURATION'],
    [['--wait-time', '--enable-cors'], '--wait-time needs a value: --wait-time DURATION'],
    [['--no-enable-cors=true'], '--no-enable-cors needs a value: --no-enable-cors '],
    [['serve'], '"serve" is not a flag: flags start with --'],
  ];
  for (const [argv, message] of wrong) {
    test(`says what is wrong with ${argv.join(' ')}`, () => {
      assert.ok(
        readFlags(argv, flagOptions).mistakes[0]?.startsWith(message),
        readFlags(argv, flagOptions).mistakes[0],
      );
    });
  }

  test('does not take the value of an unknown flag for another mistake, nor repeat it', () => {
    assert.deepEqual(readFlags(['--passwort', 'hunter2', '--enable-cors'], flagOptions).mistakes, [
      '--passwort is not a flag',
    ]);
  });
});

const environmentOptions = [
  text('kube-context', 'K.', { aliases: ['context'] }),
  flag('version', 'V.', { flagOnly: true }),
];

describe('readEnvironment', () => {
  test('finds options by their names in capitals, aliases too', () => {
    assert.equal(environmentName('kube-context'), 'TILLER_GATEWAY_KUBE_CONTEXT');
    for (const name of ['TILLER_GATEWAY_KUBE_CONTEXT', 'TILLER_GATEWAY_CONTEXT']) {
      const { byFlag, mistakes } = readEnvironment({ [name]: 'blue', PATH: '/bin' }, environmentOptions);
      assert.deepEqual([...byFlag], [['kube-context', { texts: ['blue'], where: name }]]);
      assert.deepEqual(mistakes, []);
    }
  });

  test('takes an empty variable as not set', () => {
    assert.equal(readEnvironment({ TILLER_GATEWAY_KUBE_CONTEXT: '' }, environmentOptions).byFlag.size, 0);
  });

  test('reports what it does not know, with the nearest name, and not its value', () => {
    assert.deepEqual(readEnvironment({ TILLER_GATEWAY_KUBE_CONTEX: 's3cret' }, environmentOptions).mistakes, [
      'TILLER_GATEWAY_KUBE_CONTEX is not a variable of this program; did you mean TILLER_GATEWAY_KUBE_CONTEXT?',
    ]);
    assert.equal(readEnvironment({ TILLER_GATEWAY_VERSION: 'true' }, environmentOptions).mistakes.length, 1);
  });

  test("leaves Kubernetes' own variables for a Service of this name alone", () => {
    const links = {
      TILLER_GATEWAY_SERVICE_HOST: '10.96.0.7',
      TILLER_GATEWAY_SERVICE_PORT: '9855',
      TILLER_GATEWAY_SERVICE_PORT_HTTP: '9855',
      TILLER_GATEWAY_PORT: 'tcp://10.96.0.7:9855',
      TILLER_GATEWAY_PORT_9855_TCP: 'tcp://10.96.0.7:9855',
      TILLER_GATEWAY_PORT_9855_TCP_PROTO: 'tcp',
      TILLER_GATEWAY_PORT_9855_TCP_PORT: '9855',
      TILLER_GATEWAY_PORT_9855_TCP_ADDR: '10.96.0.7',
      TILLER_GATEWAY_METRICS_SERVICE_HOST: '10.96.0.8',
    };
    assert.deepEqual(readEnvironment(links, environmentOptions).mistakes, []);
  });
});

test('suggestion names the nearest known name, if it is near', () => {
  assert.equal(suggestion('adr', ['addr', 'help']), '; did you mean addr?');
  assert.equal(suggestion('connecter', ['connector', 'config']), '; did you mean connector?');
  assert.equal(suggestion('adr', ['addr'], '--'), '; did you mean --addr?');
  assert.equal(suggestion('zzzzzz', ['addr', 'help']), '');
  assert.equal(suggestion('x'.repeat(1000), ['x'.repeat(1000)]), '');
});
