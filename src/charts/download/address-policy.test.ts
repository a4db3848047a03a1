import assert from 'node:assert/strict';
import { hostname, networkInterfaces } from 'node:os';
import { describe, test } from 'node:test';
import { type AddressPolicyOptions, createAddressPolicy } from './address-policy.ts';

function check(host: string, addresses: string[] = [], options: Partial<AddressPolicyOptions> = {}): void {
  createAddressPolicy({ allowLoopback: false, allow: [], deny: [], ...options }).check(host, addresses);
}

function isRefused(
  host: string,
  addresses: string[] = [],
  options: Partial<AddressPolicyOptions> = {},
): boolean {
  try {
    check(host, addresses, options);
    return false;
  } catch (error) {
    assert.equal((error as { code: number }).code, 3);
    return true;
  }
}

describe('addresses', () => {
  const fine = [
    '2001:db8::5efe:8.8.8.8',
    '10.0.0.1',
    '172.16.0.1',
    '192.168.1.1',
    '100.64.0.1',
    '8.8.8.8',
    'fd00::1',
    '2001:db8::1',
  ];
  const refused = [
    '127.0.0.1',
    '127.255.255.254',
    '::1',
    '0.0.0.0',
    '0.1.2.3',
    '::',
    '169.254.169.254',
    '169.254.0.1',
    'fe80::1',
    'fe80::1%eth0',
    'fd00:ec2::254',
    'fd20:ce::254',
    '100.100.100.200',
    '168.63.129.16',
    '192.0.0.192',
    '224.0.0.1',
    '255.255.255.255',
    'ff02::1',
    '::ffff:127.0.0.1',
    '::ffff:a9fe:a9fe',
    '::127.0.0.1',
    '64:ff9b::169.254.169.254',
    '64:ff9b::7f00:1',
    '2002:7f00:1::',
    '2002:a9fe:a9fe::1',
    'fd00:ec2::23',
    '::ffff:169.254.169.254',
    '::ffff:0:169.254.169.254',
    'fec0::1',
    'feff::1',
    '64:ff9b:1::a9fe:a9fe',
    '64:ff9b::100.100.100.200',
    '::169.254.169.254',
    '::ffff:100.100.100.200',
    '240.0.0.1',
    'fd00:c1::a9fe:a9fe',
    'fd00:42::42',
    '2001:db8::5efe:127.0.0.1',
    '2001:db8::200:5efe:169.254.169.254',
    'fd00::5efe:100.100.100.200',
  ];
  for (const address of fine) {
    test(`${address} may be asked`, () => {
      assert.ok(!isRefused(address));
      assert.ok(!isRefused('charts.example.com', [address]));
    });
  }
  for (const address of refused) {
    test(`${address} may not`, () => {
      assert.ok(isRefused(address));
      assert.ok(isRefused('charts.example.com', ['8.8.8.8', address]));
    });
  }
});

describe('the addresses of this machine', () => {
  const policy = (options: Partial<AddressPolicyOptions> = {}) =>
    createAddressPolicy({ allowLoopback: false, allow: [], deny: [], ...options }, () => [
      '10.1.2.3',
      'fe80::1',
      '2001:db8::7',
    ]);
  for (const own of ['10.1.2.3', '::ffff:10.1.2.3', '64:ff9b::10.1.2.3', '2002:a01:203::', '2001:db8::7']) {
    test(own, () => {
      assert.throws(() => policy().check(own, []), { code: 3 });
      assert.throws(() => policy().check('charts.example.com', ['8.8.8.8', own]), { code: 3 });
      assert.doesNotThrow(() => policy({ allowLoopback: true }).check(own, []));
      assert.doesNotThrow(() => policy({ allow: ['10.1.2.0/24', '2001:db8::/32', '::/0'] }).check(own, []));
    });
  }
  test('neighbours are not meant', () => assert.doesNotThrow(() => policy().check('10.1.2.4', [])));
  test('are asked of the system', () => {
    const addresses = Object.values(networkInterfaces()).flatMap(list => list ?? []);
    for (const { address } of addresses) assert.ok(isRefused(address), address);
  });
});

describe('names that a proxy would resolve', () => {
  const names = [
    'localhost',
    'LOCALHOST.',
    'a.localhost',
    'metadata.google.internal',
    'Metadata.Google.Internal.',
    'localhost6',
    'localhost4.localdomain4',
    'rancher-metadata',
    'api.metadata.cloud.ibm.com',
    hostname(),
    hostname().toUpperCase(),
  ];
  for (const name of [...names, 'metadata', 'instance-data', 'metadata.goog', 'metadata.azure.internal']) {
    test(name, () => {
      assert.ok(isRefused(name));
      assert.ok(!isRefused(name, [], { allow: [name] }));
    });
  }
  test('metadata.example.com', () => assert.ok(!isRefused('metadata.example.com')));
});

describe('rules', () => {
  const cases: [string, string, string[], Partial<AddressPolicyOptions>, boolean][] = [
    ['loopback is allowed', '127.0.0.1', [], { allowLoopback: true }, false],
    ['mapped loopback too', '::ffff:127.0.0.1', [], { allowLoopback: true }, false],
    ['but not this host', '0.0.0.0', [], { allowLoopback: true }, true],
    ['nor link-local', '169.254.1.1', [], { allowLoopback: true }, true],
    ['an allowed address', '169.254.1.1', [], { allow: ['169.254.1.1'] }, false],
    ['its neighbour', '169.254.1.2', [], { allow: ['169.254.1.1'] }, true],
    ['an allowed range', '127.0.0.5', [], { allow: ['127.0.0.0/29'] }, false],
    ['an allowed IPv6 range', '::1', [], { allow: ['::/64'] }, false],
    ['an allowed name', 'repo.test', ['127.0.0.1'], { allow: ['Repo.Test'] }, false],
    ['another name', 'repo2.test', ['127.0.0.1'], { allow: ['repo.test'] }, true],
    ['a name with a dot at its end', 'repo.test.', ['127.0.0.1'], { allow: ['repo.test'] }, false],
    ['below a domain', 'a.b.test', ['127.0.0.1'], { allow: ['*.test'] }, false],
    ['not the domain itself', 'test', ['127.0.0.1'], { allow: ['*.test'] }, true],
    ['not a name that only ends alike', 'mytest', ['127.0.0.1'], { allow: ['*.test'] }, true],
    ['everything', 'x', ['169.254.169.254'], { allow: ['*'] }, false],
    ['a denied name', 'x.test', ['8.8.8.8'], { deny: ['x.test'] }, true],
    ['a denied range', 'x.test', ['10.1.2.3'], { deny: ['10.0.0.0/8'] }, true],
    ['a denied range behind NAT64', '64:ff9b::10.1.2.3', [], { deny: ['10.0.0.0/8'] }, true],
    ['deny beats allow', 'x.test', ['10.1.2.3'], { deny: ['10.0.0.0/8'], allow: ['x.test'] }, true],
    ['a denied name that nobody resolved', 'x.test', [], { deny: ['*.test'] }, true],
  ];
  for (const [title, host, addresses, options, expected] of cases) {
    test(title, () => assert.equal(isRefused(host, addresses, options), expected));
  }
});

test('a message names the host, not its address', () => {
  assert.throws(() => check('inner.test', ['169.254.7.7']), {
    message: 'charts from inner.test are refused: it has a link-local, metadata or reserved address',
  });
});
