/**
 * Checks the structure of the source (rules in `rooms.ts`): imports, circles, file sizes and words.
 *
 * `layering-allowed.json` counts the violations that are still there, by rule. More than the count fails; the counts
 * only go down (`--update` lowers them). `--list RULE` prints the violations of one rule.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { type ImportedFile, readSources } from './read-sources.ts';
import { goneWords, rooms } from './rooms.ts';

type Rule = 'rooms' | 'index' | 'upward' | 'circle' | 'folders' | 'package' | 'size' | 'small' | 'words';

const allowedFile = 'scripts/layering-allowed.json';
const maxLines = 400;
const smallLines = 30;
const maxSmallShare = 0.05;
const maxShown = 30;

const sources = readSources();
const violations: { readonly rule: Rule; readonly text: string }[] = [];

for (const file of sources.files) {
  for (const target of file.imports) {
    checkRooms(file.path, target);
    checkPackage(file.path, target);
  }
  if (!file.generated && file.lines > maxLines) {
    add('size', `${file.path} has ${file.lines} lines: at most ${maxLines}`);
  }
}
checkCircles();
checkSmallFiles();
checkWords();
report();

function add(rule: Rule, text: string): void {
  violations.push({ rule, text });
}

/** The room of a file. `main.ts` is the entrance of `app`. */
function roomOf(path: string): string | undefined {
  const [top, room, rest] = path.split('/');
  if (top !== 'src') return undefined;
  return rest === undefined ? 'app' : room;
}

function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'));
}

function checkRooms(path: string, { path: target, lazy }: ImportedFile): void {
  const [from, to] = [roomOf(path), roomOf(target)];
  if (from === undefined || to === undefined) return;
  if (from === to) {
    const [folder, targetFolder] = [folderOf(path), folderOf(target)];
    if (folder !== targetFolder && folder.startsWith(`${targetFolder}/`)) {
      add('upward', `${path} imports ${target}, from a folder above its own`);
    }
    return;
  }
  if (!rooms[from]) return void add('rooms', `${path}: the room ${from} is not in scripts/rooms.ts`);
  if (!rooms[from].includes(to)) add('rooms', `${path} imports ${target}: ${from} may not import ${to}`);
  // only the index of a folder can be loaded late, since the room's own index loads everything at once
  const entrance = lazy ? /\/index\.ts$/.test(target) : target === `src/${to}/index.ts`;
  if (!entrance) add('index', `${path} imports ${target}: only src/${to}/index.ts may be imported`);
}

/** `packages/helm-render` knows nothing of the gateway, and only the sandbox renders charts. */
function checkPackage(path: string, { path: target }: ImportedFile): void {
  const inPackage = path.startsWith('packages/');
  if (inPackage && !target.startsWith('packages/') && target.includes('/')) {
    const own = /^[./]*(?:src|test|scripts|bench)\//.test(target);
    if (own) add('package', `${path} imports ${target}: a package imports nothing of the gateway`);
  }
  if (!inPackage && /helm-render/.test(target) && roomOf(path) !== 'sandbox') {
    add('package', `${path} imports ${target}: only src/sandbox may`);
  }
}

function checkCircles(): void {
  const files = new Map<string, string[]>();
  const folders = new Map<string, Set<string>>();
  for (const { path, imports } of sources.files) {
    files.set(
      path,
      imports.map(target => target.path),
    );
    for (const { path: target } of imports) {
      if (roomOf(path) === undefined || roomOf(path) !== roomOf(target)) continue;
      const [from, to] = [folderOf(path), folderOf(target)];
      if (from !== to) folders.set(from, (folders.get(from) ?? new Set()).add(to));
    }
  }
  for (const circle of circles(files)) add('circle', `import circle: ${circle.join(' → ')}`);
  // each folder counts once, whatever number of circles it is part of
  const inCircles = new Set(circles(folders).flat());
  for (const folder of inCircles) add('folders', `${folder}/ imports a folder that imports it`);
}

/** The circles that a walk through the graph closes; none where the graph has none. */
function circles(graph: ReadonlyMap<string, Iterable<string>>): string[][] {
  const closed: string[][] = [];
  const state = new Map<string, 'open' | 'done'>();
  const visit = (node: string, path: string[]): void => {
    if (state.get(node) === 'done') return;
    if (state.get(node) === 'open') return void closed.push([...path.slice(path.indexOf(node)), node]);
    state.set(node, 'open');
    for (const next of graph.get(node) ?? []) visit(next, [...path, node]);
    state.set(node, 'done');
  };
  for (const node of graph.keys()) visit(node, []);
  return closed;
}

/** One violation for each file past the allowed share, counted for the whole source. */
function checkSmallFiles(): void {
  const counted = sources.files.filter(({ path, generated }) => path.startsWith('src/') && !generated);
  const small = counted.filter(({ path, lines }) => lines < smallLines && !path.endsWith('/index.ts'));
  const allowed = Math.floor(counted.length * maxSmallShare);
  for (const { path, lines } of small.slice(allowed)) {
    add('small', `${path} has ${lines} lines: fold it into its user`);
  }
}

function checkWords(): void {
  for (const { path, text } of sources.texts) {
    for (const [index, line] of text.split('\n').entries()) {
      for (const word of goneWords) {
        const match = word.exec(line);
        if (match) add('words', `${path}:${index + 1}: ${match[0].trim()}: ${line.trim().slice(0, 100)}`);
      }
    }
  }
}

function report(): void {
  const listed = process.argv.indexOf('--list');
  if (listed > 0) {
    for (const { rule, text } of violations) if (rule === process.argv[listed + 1]) console.log(text);
    return;
  }
  const allowed = JSON.parse(readFileSync(allowedFile, 'utf8')) as Record<string, number>;
  const byRule = Map.groupBy(violations, ({ rule }) => rule);
  for (const [rule, { length }] of byRule) {
    if (length <= (allowed[rule] ?? 0)) continue;
    process.exitCode = 1;
    console.error(`${rule}: ${length} violations, allowed are ${allowed[rule] ?? 0}; of them:`);
    for (const { text } of byRule.get(rule)!.slice(0, maxShown)) console.error(`  ${text}`);
  }
  if (process.argv.includes('--update') && !process.exitCode) {
    const counts = Object.fromEntries([...byRule].map(([rule, { length }]) => [rule, length]));
    writeFileSync(allowedFile, `${JSON.stringify(counts, null, 2)}\n`);
  }
  console.log(measured());
}

/** The figures of the house, index files and generated ones left out of the share of small files. */
function measured(): string {
  const files = sources.files.filter(
    ({ path, generated }) => path.startsWith('src/') && !path.startsWith('src/sandbox/') && !generated,
  );
  const lines = files.map(file => file.lines).sort((a, b) => a - b);
  const total = lines.reduce((sum, count) => sum + count, 0);
  const small = files.filter(file => file.lines < smallLines && !file.path.endsWith('/index.ts')).length;
  return (
    `src without sandbox, tests and generated files: ${files.length} files, ${total} lines, ` +
    `median ${lines[lines.length >> 1]}, ${((100 * small) / files.length).toFixed(1)} % under ${smallLines} lines`
  );
}
