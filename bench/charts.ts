/**
 * What loading a chart costs beside unpacking the same bytes, what reading values costs beside the YAML library, and how long a
 * lookup in a large index takes.
 */
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { load, YAML11_SCHEMA } from 'js-yaml';
import type { Charts } from '../src/charts/index.ts';
import { parseYaml, writeYaml } from '../src/yaml/index.ts';
import { chartRequest, noSignal } from '../test/charts/charts-request.ts';
import { makeChart } from '../test/charts/make-archive.ts';
import { createTestCharts } from '../test/support/test-charts.ts';

export async function run(): Promise<void> {
  const charts = createTestCharts({ allowLoopback: true });
  try {
    await compareLoading(charts);
    await compareValues();
  } finally {
    await charts.close();
  }
  await timeLookups();
}

/** Half of each file is noise, so that the archive packs to about 1 MiB. */
async function compareLoading(charts: Charts): Promise<void> {
  const file = () => `${randomBytes(4_800).toString('hex')}\n`;
  const files = Object.fromEntries(
    Array.from({ length: 200 }, (_, index) => [`templates/file-${index}.yaml`, file()]),
  );
  const archive = makeChart({
    'Chart.yaml': 'name: big\nversion: 1.0.0\n',
    'values.yaml': 'a: 1\n',
    ...files,
  });
  const request = chartRequest({ chartArchive: archive });
  const [plain, loaded] = await inTurns(
    25,
    async () => void untar(gunzipSync(archive)),
    async () => void (await charts.resolve(request, noSignal)),
  );
  console.log(`an archive of ${(archive.length / 2 ** 20).toFixed(2)} MiB with 200 files`);
  print('gunzip and untar', plain);
  print('loaded and encoded for Tiller', loaded, plain, 'at most 3');
}

/** The least that unpacking takes: names and contents, copied out, and nothing checked. */
function untar(tar: Buffer): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  for (let position = 0; tar[position] !== 0 && position < tar.length; ) {
    const name = tar.toString('utf8', position, position + 100).replace(/\0.*$/s, '');
    const size = Number.parseInt(tar.toString('latin1', position + 124, position + 135), 8);
    files.set(name, Buffer.from(tar.subarray(position + 512, position + 512 + size)));
    position += 512 + Math.ceil(size / 512) * 512;
  }
  return files;
}

async function compareValues(): Promise<void> {
  const block = (index: number) =>
    `service-${index}:\n  enabled: true\n  replicas: ${index}\n  image: {name: web, tag: "1.${index}"}\n  args:\n  - --port=80\n  - "quoted text"\n  note: |\n    several\n    lines\n`;
  const text = Array.from({ length: 7_000 }, (_, index) => block(index)).join('');
  const value = parseYaml(text);
  const [library, ours, written] = await inTurns(
    3,
    async () => void load(text, { schema: YAML11_SCHEMA }),
    async () => void parseYaml(text),
    async () => void writeYaml(value),
  );
  console.log(`values of ${(text.length / 2 ** 20).toFixed(2)} MiB`);
  print('read by the YAML library', library);
  print('read as Go reads them', ours, library);
  print('written as Go writes them', written, library);
}

async function timeLookups(): Promise<void> {
  const entry = (index: number) =>
    `  chart-${index}:\n  - name: chart-${index}\n    version: 1.0.0\n    description: Chart number ${index}\n    urls: [charts/c.tgz]\n`;
  const index = `apiVersion: v1\nentries:\n${Array.from({ length: 20_000 }, (_, item) => entry(item)).join('')}`;
  const server = createServer((_request, response) => response.setHeader('etag', '"1"').end(index));
  const listening = Promise.withResolvers<void>();
  server.listen(0, '127.0.0.1', listening.resolve);
  await listening.promise;
  const { port } = server.address() as AddressInfo;
  const charts = createTestCharts({ allowLoopback: true, repositories: [`big=http://127.0.0.1:${port}`] });
  try {
    // a range that nothing matches ends at the lookup: no archive is fetched
    const lookUp = async (item: number) => {
      const request = chartRequest({ chartUrl: `big/chart-${item}/^9` });
      await charts.resolve(request, noSignal).catch(() => {});
    };
    console.log('an index of 20,000 charts');
    print('first lookup, with the load', await timed(() => lookUp(0)));
    const times: number[] = [];
    for (let item = 0; item < 20_000; item += 1_000) times.push(await timed(() => lookUp(item)));
    print('later lookup, slowest', Math.max(...times), 5, 'below 1: 5 ms');
  } finally {
    await charts.close();
    server.close();
    server.closeAllConnections();
  }
}

/** Median times of tasks that take turns, so that a busy machine slows them all alike. */
async function inTurns<Tasks extends (() => Promise<void>)[]>(rounds: number, ...tasks: Tasks) {
  const times = tasks.map(() => [] as number[]);
  for (let round = 0; round < rounds; round++) {
    for (const [index, task] of tasks.entries()) times[index]?.push(await timed(task));
  }
  return times.map(list => list.sort((a, b) => a - b)[rounds >> 1] ?? 0) as { [K in keyof Tasks]: number };
}

async function timed(task: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await task();
  return performance.now() - start;
}

function print(what: string, timeMs: number, baselineMs?: number, target?: string): void {
  const ratio = baselineMs === undefined ? '' : `  × ${(timeMs / baselineMs).toFixed(2)}`;
  console.log(
    `  ${what.padEnd(32)} ${timeMs.toFixed(2).padStart(9)} ms${ratio}${target ? `  (${target})` : ''}`,
  );
}
