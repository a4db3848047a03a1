import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { conformanceFolder } from '../../../test/support/recording.ts';
import { releaseOf } from '../../../test/support/tiller-messages.ts';
import { configMapToRevision, type ReleaseConfigMap, revisionToConfigMap } from './config-map.ts';
import { releaseToRevision, revisionToRelease } from './revision.ts';

const recorded = JSON.parse(readFileSync(join(conformanceFolder, 'storage-configmaps.json'), 'utf8'))
  .items as ReleaseConfigMap[];

test('the ConfigMaps of a real Tiller are read, and written as they were', async () => {
  assert.ok(recorded.length > 10);
  for (const configMap of recorded) {
    const revision = configMapToRevision(configMap);
    const written = await revisionToConfigMap(revision);
    const { labels, name, namespace, creationTimestamp } = configMap.metadata;
    assert.deepEqual(written.metadata, { labels, name, namespace, creationTimestamp });
    assert.deepEqual(revisionToRelease(configMapToRevision(written)), revisionToRelease(revision));
  }
});

test('a revision that was never changed carries CREATED_AT instead', async () => {
  const { labels } = (await revisionToConfigMap(releaseToRevision(releaseOf('a'), 5, undefined))).metadata;
  assert.deepEqual(labels, { CREATED_AT: '5', NAME: 'a', OWNER: 'TILLER', STATUS: 'DEPLOYED', VERSION: '1' });
});

test('what is no release is refused with a reason', async () => {
  const good = await revisionToConfigMap(releaseToRevision(releaseOf('a'), 5, undefined));
  const packed = (bytes: Buffer) => ({ ...good, data: { release: bytes.toString('base64') } });
  const cases: [unknown, RegExp][] = [
    [null, /data.release is missing/],
    [{ data: { release: 7 } }, /data.release is missing/],
    [packed(Buffer.from([0x1f, 0x8b, 1, 2, 3])), /no gzip stream/],
    [packed(gzipSync(Buffer.from('junk'))), /not a hapi.release.Release message/],
    [packed(gzipSync(Buffer.alloc(0))), /no info or no chart/],
    [packed(gzipSync(Buffer.alloc(65 * 1024 * 1024))), /larger than 64 MiB/],
    [{ ...good, metadata: { ...good.metadata, name: 'b.v1' } }, /named b.v1 but holds a.v1/],
  ];
  for (const [configMap, message] of cases)
    assert.throws(() => configMapToRevision(configMap), { code: 3, message });
});
