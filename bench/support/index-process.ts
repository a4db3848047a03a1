/**
 * A chart repository of 20,000 charts with 200,000 versions, in a process of its own. Posts its port, how long the indexes are, and the name of a chart. `/usual` says the same of
 * every version of a chart but its number, as most repositories do; `/odd` says something else of each.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const charts = 20_000;
const versions = 10;
const words =
  'queue cache proxy mail metrics ingress backup search operator gateway vault ledger relay'.split(' ');

/** A word that depends on a number. */
const word = (number: number) => words[(Math.imul(number, 2_654_435_761) >>> 0) % words.length]!;

const nameOf = (chart: number) => `${word(chart)}-${word(chart * 7)}-${chart}`;

function entry(chart: number, version: number, isOdd: boolean): string {
  const name = nameOf(chart);
  const number = isOdd
    ? `${version}.${chart % 97}.${chart}`
    : `${1 + (version >> 2)}.${version}.${chart % 20}`;
  const digest = (chart * 16 + version).toString(16).padStart(64, '0');
  return `  - apiVersion: v1
    appVersion: ${version}.${chart % 30}.0
    created: "2026-0${1 + (version % 9)}-11T09:27:00.487124278Z"
    description: A ${word(chart + 3)} with ${word(chart + 5)} for everybody${isOdd ? `, at ${version}` : ''}
    digest: ${digest}
    home: https://charts.example.test/${name}
    icon: https://charts.example.test/${name}.png
    keywords:
    - ${word(chart + 1)}
    - ${word(chart + 2)}
    maintainers:
    - email: team@example.test
      name: Team
    name: ${name}
    urls:
    - https://charts.example.test/archives/${name}-${number}.tgz
    version: ${number}
`;
}

function index(isOdd: boolean): Buffer {
  const texts = ['apiVersion: v1\nentries:\n'];
  for (let chart = 0; chart < charts; chart++) {
    texts.push(`  ${nameOf(chart)}:\n`);
    for (let version = versions; version > 0; version--) texts.push(entry(chart, version, isOdd));
  }
  texts.push('generated: "2026-11-11T09:27:00.487124278Z"\n');
  return Buffer.from(texts.join(''));
}

const indexes = new Map([
  ['/usual/index.yaml', index(false)],
  ['/odd/index.yaml', index(true)],
]);

const server = createServer(({ url }, response) => {
  const bytes = indexes.get(url ?? '');
  if (bytes) response.setHeader('etag', `"${bytes.length}"`);
  else response.statusCode = 404;
  response.end(bytes);
});
server.listen(0, '127.0.0.1', () => {
  const sizes = [...indexes.values()].map(({ length }) => length);
  process.send?.({ port: (server.address() as AddressInfo).port, sizes, chart: nameOf(1) });
});
process.on('disconnect', () => process.exit(0));
