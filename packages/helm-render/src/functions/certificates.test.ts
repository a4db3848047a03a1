import assert from 'node:assert/strict';
import { createPrivateKey, createPublicKey, sign, verify, X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import type { CallContext } from '../go/function.ts';
import { GoStruct, type GoValue } from '../go/value.ts';
import { functionLibrary } from './index.ts';

const now = new Date('2026-11-20T10:00:00Z');
const context: CallContext = { now, charge: () => {} };

function call(name: string, ...args: GoValue[]): GoValue {
  return functionLibrary.get(name)!.call(args, context);
}

function read(struct: GoValue): { certificate: X509Certificate; key: string } {
  assert.ok(struct instanceof GoStruct);
  const field = (name: string) => struct.fields.get(name)!.value as string;
  return { certificate: new X509Certificate(field('Cert')), key: field('Key') };
}

test('genCA makes an authority that signs itself', () => {
  const { certificate, key } = read(call('genCA', 'my-ca', 365n));
  assert.equal(certificate.subject, 'CN=my-ca');
  assert.equal(certificate.ca, true);
  assert.equal(certificate.validFromDate.getTime(), now.getTime());
  assert.equal(certificate.validToDate.getTime(), now.getTime() + 365 * 86_400_000);
  assert.ok(certificate.verify(certificate.publicKey));
  assert.ok(certificate.checkPrivateKey(createPrivateKey(key)));
  assert.equal(certificate.publicKey.asymmetricKeyDetails?.modulusLength, 2048);
  assert.match(key, /^-----BEGIN RSA PRIVATE KEY-----\n/);
  assert.doesNotMatch(certificate.toString(), /\r/);
});

test('genSignedCert makes a server certificate that the authority signed', () => {
  const authority = call('genCA', 'my-ca', 365n);
  const issuer = read(authority).certificate;
  const { certificate, key } = read(
    call(
      'genSignedCert',
      'web',
      ['10.0.0.1', '2001:db8::1'],
      ['web.example.test', '*.example.test'],
      30n,
      authority,
    ),
  );
  assert.ok(certificate.checkIssued(issuer));
  assert.ok(certificate.verify(issuer.publicKey));
  assert.ok(certificate.checkPrivateKey(createPrivateKey(key)));
  assert.equal(certificate.ca, false);
  assert.equal(certificate.checkHost('a.example.test'), '*.example.test');
  assert.equal(certificate.checkIP('10.0.0.1'), '10.0.0.1');
  assert.equal(certificate.checkIP('2001:db8::1'), '2001:db8::1');
  // Server and client authentication, RFC 5280, section 4.2.1.12.
  assert.deepEqual(certificate.keyUsage, ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2']);
});

test('genSelfSignedCert needs no names, and every certificate has a serial number of its own', () => {
  const first = read(call('genSelfSignedCert', 'é', null, null, 1n)).certificate;
  const second = read(call('genSelfSignedCert', 'é', [], [], 1n)).certificate;
  assert.ok(first.verify(first.publicKey));
  assert.equal(first.subjectAltName, undefined);
  assert.notEqual(first.serialNumber, second.serialNumber);
});

test('genPrivateKey makes keys that work, in the forms Go writes', () => {
  for (const [type, header] of [
    ['ecdsa', 'EC PRIVATE KEY'],
    ['dsa', 'DSA PRIVATE KEY'],
  ] as const) {
    const pem = call('genPrivateKey', type) as string;
    assert.ok(pem.startsWith(`-----BEGIN ${header}-----\n`) && pem.endsWith(`\n-----END ${header}-----\n`));
    const key = createPrivateKey(pem);
    const signature = sign('sha256', Buffer.from('text'), key);
    assert.ok(verify('sha256', Buffer.from('text'), createPublicKey(pem), signature), type);
  }
});

test('the default private key is RSA of 4,096 bits', () => {
  const pem = call('genPrivateKey', '') as string;
  assert.match(pem, /^-----BEGIN RSA PRIVATE KEY-----\n/);
  assert.equal(createPrivateKey(pem).asymmetricKeyDetails?.modulusLength, 4096);
});
