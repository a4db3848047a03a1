/** A process that uploads one chart after the other into a folder and says which are kept, until it is killed. */
import { randomBytes } from 'node:crypto';
import { writeSync } from 'node:fs';
import { makeChart } from '../charts/make-archive.ts';
import { createTestCharts } from './test-charts.ts';

const [uploadDir = '', name = '', start = '0'] = process.argv.slice(2);
const { uploads } = createTestCharts({ uploadDir, maxUploads: 10_000 });
const { signal } = new AbortController();

for (let patch = Number(start); ; patch++) {
  const version = `1.0.${patch}`;
  const noise = randomBytes(300_000);
  const archive = makeChart({ 'Chart.yaml': `name: ${name}\nversion: ${version}\n`, noise }, name);
  // every fifth replaces the one before: a name that is taken has to stay whole as well
  const force = patch % 5 === 4;
  const again = makeChart({ 'Chart.yaml': `name: ${name}\nversion: 1.0.${patch - 1}\n`, noise }, name);
  const { upload } = await uploads.add(force ? again : archive, { signal, force });
  writeSync(1, `${upload.fileName} ${upload.digest}\n`);
}
