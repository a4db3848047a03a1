import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { createCleartextMessage, generateKey, type PrivateKey, revokeKey, sign } from 'openpgp';
import type { Charts } from '../src/charts/index.ts';
import { chartRequest, noSignal } from './charts/charts-request.ts';
import { makeChart } from './charts/make-archive.ts';
import { startServer, type TestServer } from './charts/repository-server.ts';
import { createTestCharts } from './support/test-charts.ts';

const packed = makeChart({ 'Chart.yaml': 'name: a\nversion: 1.0.0' });
const digest = createHash('sha256').update(packed).digest('hex');

let folder: string;
let server: TestServer;
let charts: Charts;
let provenance: string | undefined;
let ours: PrivateKey;
let theirs: PrivateKey;

before(async () => {
  const create = (name: string) =>
    generateKey({ type: 'rsa', rsaBits: 2048, userIDs: [{ name }], format: 'object' });
  [{ privateKey: ours }, { privateKey: theirs }] = await Promise.all([create('ours'), create('theirs')]);
  folder = mkdtempSync(join(tmpdir(), 'charts-'));
  writeFileSync(join(folder, 'pubring.gpg'), ours.toPublic().write());
  writeFileSync(join(folder, 'pubring.asc'), ours.toPublic().armor());
  writeFileSync(join(folder, 'broken'), 'no keys');
  server = await startServer((request, response) => {
    if (request.url === '/a-1.0.0.tgz') response.end(packed);
    else if (request.url === '/a-1.0.0.tgz.prov' && provenance) response.end(provenance);
    else response.writeHead(404).end();
  });
  charts = createTestCharts({ allowLoopback: true, keyring: join(folder, 'pubring.gpg'), chartDir: folder });
});

after(async () => {
  await charts.close();
  await server[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

/** What `helm package --sign` writes: Chart.yaml, YAML's end of document, the digests. */
async function provenanceOf(sum: string, key: PrivateKey, file = 'a-1.0.0.tgz'): Promise<string> {
  const text = `name: a\nversion: 1.0.0\n\n...\nfiles:\n  ${file}: sha256:${sum}\n`;
  return sign({ message: await createCleartextMessage({ text }), signingKeys: key });
}

async function verify(given = charts, chartUrl = `${server.url}/a-1.0.0.tgz`): Promise<void> {
  await given.resolve(chartRequest({ chartUrl, verify: true }), noSignal);
}

test('a chart that one of our keys has signed', async () => {
  provenance = await provenanceOf(digest, ours);
  await verify();
});

/** What stands around a signed message, each tried with the verification of Helm 2.17.0. */
const around: [string, (signed: string) => string][] = [
  ['text before it', signed => `some words\n\n${signed}`],
  ['a key before it', signed => `${ours.toPublic().armor()}\n${signed}`],
  ['text behind it', signed => `${signed}some words\n`],
  ['another message behind it', signed => `${signed}\n${signed.replace('name: a', 'name: b')}`],
  ['a Hash header of another algorithm', signed => signed.replace(/Hash: .*/, 'Hash: SHA1')],
  ['no Hash header', signed => signed.replace(/Hash: .*\n/, '')],
  ['line ends of Windows', signed => signed.replace(/\r?\n/g, '\r\n')],
];
for (const [title, change] of around) {
  test(`taken: ${title}`, async () => {
    provenance = change(await provenanceOf(digest, ours));
    await verify();
  });
}

test('an armored keyring', async () => {
  provenance = await provenanceOf(digest, ours);
  const armored = createTestCharts({ allowLoopback: true, keyring: join(folder, 'pubring.asc') });
  await verify(armored);
  await armored.close();
});

test('a chart in a folder, with its provenance beside it', async () => {
  writeFileSync(join(folder, 'a-1.0.0.tgz'), packed);
  await assert.rejects(verify(charts, 'a-1.0.0.tgz'), { code: 3, message: /no provenance file beside it/ });
  writeFileSync(join(folder, 'a-1.0.0.tgz.prov'), await provenanceOf(digest, ours));
  await verify(charts, 'a-1.0.0.tgz');
});

const refused: [string, () => Promise<string | undefined>, RegExp][] = [
  ['no provenance', async () => undefined, /\.prov: the server answered 404/],
  ['a key that is not ours', () => provenanceOf(digest, theirs), /no key of the keyring has made/],
  ['another digest', () => provenanceOf('0'.repeat(64), ours), /not the one that the provenance file/],
  ['another file', () => provenanceOf(digest, ours, 'b-1.0.0.tgz'), /does not name "a-1\.0\.0\.tgz"/],
  [
    'changed after it was signed',
    async () => (await provenanceOf(digest, ours)).replace('version: 1.0.0', 'version: 1.0.1'),
    /no key of the keyring has made/,
  ],
  ['no signature', async () => 'files:\n', /no signature that can be read/],
  [
    'a message of another key before it',
    async () => `${await provenanceOf(digest, theirs)}\n${await provenanceOf(digest, ours)}`,
    /no key of the keyring has made/,
  ],
  [
    'another header in the message',
    async () => (await provenanceOf(digest, ours)).replace('Hash:', 'Comment: x\nHash:'),
    /no signature that can be read/,
  ],
  [
    'a space before the message',
    async () => ` ${await provenanceOf(digest, ours)}`,
    /no signature that can be read/,
  ],
  [
    'metadata that is no map',
    async () =>
      sign({
        message: await createCleartextMessage({
          text: `- a\n\n...\nfiles:\n  a-1.0.0.tgz: sha256:${digest}\n`,
        }),
        signingKeys: ours,
      }),
    /metadata of the provenance file: must be a map/,
  ],
  [
    'no digests',
    async () => sign({ message: await createCleartextMessage({ text: 'name: a\n' }), signingKeys: ours }),
    /has no digests/,
  ],
];
for (const [title, create, message] of refused) {
  test(`refused: ${title}`, async () => {
    provenance = await create();
    await assert.rejects(verify(), { name: 'GatewayError', code: 3, message });
  });
}

test('what has no provenance cannot be verified', async () => {
  const uploads = { chartArchive: packed, verify: true };
  await assert.rejects(charts.resolve(chartRequest(uploads), noSignal), {
    code: 3,
    message: /no provenance/,
  });
  const inline = { chart: new Uint8Array(), verify: true };
  await assert.rejects(charts.resolve(chartRequest(inline), noSignal), { code: 3, message: /no provenance/ });
});

test('without a keyring nothing can be verified', async () => {
  const without = createTestCharts({ allowLoopback: true });
  await assert.rejects(verify(without), { code: 3, message: /--keyring/ });
  await without.close();
});

test('a keyring that is none is no matter for the caller', async () => {
  provenance = await provenanceOf(digest, ours);
  const broken = createTestCharts({ allowLoopback: true, keyring: join(folder, 'broken') });
  await assert.rejects(verify(broken), { code: 9, message: /cannot read its keyring$/ });
  await broken.close();
});

/** Signed by gpg, and taken by `helm fetch --verify` of Helm 2.17: what it asks of keys, digests and dates is nothing. */
for (const name of ['dsa', 'expsig', 'future', 'sha1', 'small']) {
  test(`taken as Helm takes it: ${name}`, async () => {
    const recorded = join(import.meta.dirname, 'charts', 'provenance');
    const given = createTestCharts({ chartDir: recorded, keyring: join(recorded, 'pub2.gpg') });
    await verify(given, `${name}-0.1.0.tgz`);
    await given.close();
  });
}

test('a key that has expired is taken, one that was revoked is not', async () => {
  const date = new Date('2018-01-01');
  const { privateKey: old } = await generateKey({
    type: 'rsa',
    rsaBits: 2048,
    userIDs: [{ name: 'old' }],
    format: 'object',
    date,
    keyExpirationTime: 86_400,
  });
  const { privateKey: revoked } = await revokeKey({ key: theirs, format: 'object' });
  writeFileSync(
    join(folder, 'more.gpg'),
    Buffer.concat([old.toPublic().write(), revoked.toPublic().write()]),
  );
  const given = createTestCharts({ allowLoopback: true, keyring: join(folder, 'more.gpg') });
  const text = `...\nfiles:\n  a-1.0.0.tgz: sha256:${digest}\n`;
  const signedBy = async (key: PrivateKey, at: Date) =>
    sign({
      message: await createCleartextMessage({ text: `name: a\n\n${text}` }),
      signingKeys: key,
      date: at,
    });
  provenance = await signedBy(old, date);
  await verify(given);
  provenance = await signedBy(theirs, new Date());
  await assert.rejects(verify(given), { code: 3, message: /no key of the keyring .* revoked/ });
  await given.close();
});
