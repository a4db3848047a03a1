import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { flag, text } from './option.ts';
import { environmentName, readEnvironment } from './read-environment.ts';

const options = [
  text({ flag: 'kube-context', aliases: ['context'], summary: 'K.' }),
  flag({ flag: 'version', summary: 'V.', flagOnly: true }),
];

describe('readEnvironment', () => {
  test('finds options by their names in capitals, aliases too', () => {
    assert.equal(environmentName('kube-context'), 'TILLER_GATEWAY_KUBE_CONTEXT');
    for (const name of ['TILLER_GATEWAY_KUBE_CONTEXT', 'TILLER_GATEWAY_CONTEXT']) {
      const { byFlag, mistakes } = readEnvironment({ [name]: 'blue', PATH: '/bin' }, options);
      assert.deepEqual([...byFlag], [['kube-context', { texts: ['blue'], where: name }]]);
      assert.deepEqual(mistakes, []);
    }
  });

  test('takes an empty variable as not set', () => {
    assert.equal(readEnvironment({ TILLER_GATEWAY_KUBE_CONTEXT: '' }, options).byFlag.size, 0);
  });

  test('reports what it does not know, with the nearest name, and not its value', () => {
    assert.deepEqual(readEnvironment({ TILLER_GATEWAY_KUBE_CONTEX: 's3cret' }, options).mistakes, [
      'TILLER_GATEWAY_KUBE_CONTEX is not a variable of this program; did you mean TILLER_GATEWAY_KUBE_CONTEXT?',
    ]);
    assert.equal(readEnvironment({ TILLER_GATEWAY_VERSION: 'true' }, options).mistakes.length, 1);
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
    assert.deepEqual(readEnvironment(links, options).mistakes, []);
  });
});
