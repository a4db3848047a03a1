import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Config, Key } from 'openpgp';
import { Code, GatewayError, invalidArgument, reasonOf } from '../../protocol/index.ts';
import { decodeText, readYamlMap } from '../chart/chart-yaml.ts';

/** Loaded when a signature is first asked for: few gateways ever do, and it takes longer than most of their rooms. */
const openpgp = () => import('openpgp');

/** A provenance file is a few kilobytes. */
export const maxProvenanceBytes = 1024 * 1024;

/** The bytes of a packed chart, and how to get what they are verified by. */
export interface PackedChart {
  readonly bytes: Uint8Array;
  /** How messages name it. */
  readonly name: string;
  /** As the provenance file names it. */
  readonly fileName: () => string | Promise<string>;
  readonly readProvenance: () => Promise<Uint8Array>;
}

/**
 * Checks an archive against its provenance file: that a key of the keyring signed it, and that it names the archive's digest
 * (pkg/provenance of Helm 2.17).
 * @param keyring a file: binary as GnuPG's pubring.gpg is, or armored
 * @throws GatewayError INVALID_ARGUMENT saying what does not hold; FAILED_PRECONDITION, without details for the caller, when the
 * keyring cannot be read
 */
export async function verifyProvenance(chart: PackedChart, keyring: string): Promise<void> {
  const fileName = await chart.fileName();
  const provenance = await chart.readProvenance();
  const keys = await readKeyring(keyring);
  const signed = await checkSignature(decodeText(provenance, 'the provenance file'), keys);
  // the chart's metadata, then YAML's end of document, then the digests
  const [metadata = '', digests] = signed.split('\n...\n');
  if (digests === undefined) throw invalidArgument('the provenance file has no digests');
  readYamlMap(metadata, 'the metadata of the provenance file');
  const files = readYamlMap(digests, 'the provenance file').get('files');
  const stated = files instanceof Map ? files.get(fileName) : undefined;
  if (typeof stated !== 'string') {
    throw invalidArgument(`the provenance file does not name ${JSON.stringify(fileName)}`);
  }
  const digest = `sha256:${createHash('sha256').update(chart.bytes).digest('hex')}`;
  if (stated !== digest)
    throw invalidArgument('the archive is not the one that the provenance file was made for');
}

/**
 * What Helm 2.17 (golang.org/x/crypto/openpgp) does not look at: the strength of keys and digests, and when a key or a
 * signature expires. A key that was revoked is refused by both.
 */
const asHelm: Partial<Config> = {
  rejectHashAlgorithms: new Set(),
  rejectMessageHashAlgorithms: new Set([3]), // RIPEMD-160 is not in Helm's build
  rejectPublicKeyAlgorithms: new Set(),
  rejectCurves: new Set(),
  minRSABits: 0,
  allowInsecureVerificationWithReformattedKeys: true,
};

/**
 * The first signed message in a text, after whatever stands before it. Go does not look at what its `Hash` headers say: the
 * signature says it too.
 */
const messageHead = /^-----BEGIN PGP SIGNED MESSAGE-----\r?\n(?:Hash:[^\n]*\n)*(?=\r?\n)/m;

async function checkSignature(text: string, keyring: readonly Key[]): Promise<string> {
  const { readCleartextMessage, verify } = await openpgp();
  const head = messageHead.exec(text);
  const body = head ? text.slice(head.index + head[0].length) : '';
  const cleartextMessage = `-----BEGIN PGP SIGNED MESSAGE-----\n${body}`;
  const message = await readCleartextMessage({ cleartextMessage, config: asHelm }).catch((cause: unknown) => {
    throw invalidArgument('the provenance file has no signature that can be read', { cause });
  });
  const date = null as unknown as Date; // openpgp.js: look at no dates
  const { signatures } = await verify({ message, verificationKeys: [...keyring], date, config: asHelm });
  const results = await Promise.allSettled(signatures.map(({ verified }) => verified));
  if (!results.some(({ status }) => status === 'fulfilled')) {
    const cause = results.find(result => result.status === 'rejected')?.reason;
    throw invalidArgument(
      `no key of the keyring has made the signature of the provenance file: ${reasonOf(cause)}`,
      { cause },
    );
  }
  return message.getText().replaceAll('\r\n', '\n');
}

async function readKeyring(file: string): Promise<Key[]> {
  try {
    const { readKeys } = await openpgp();
    const data = await readFile(file);
    const text = data.toString('latin1');
    const keys = text.includes('-----BEGIN PGP')
      ? await readKeys({ armoredKeys: text })
      : await readKeys({ binaryKeys: new Uint8Array(data) });
    return keys.map(key => key.toPublic());
  } catch (cause) {
    throw new GatewayError(Code.FAILED_PRECONDITION, 'the gateway cannot read its keyring', { cause });
  }
}
