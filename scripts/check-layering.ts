/** Fails when an import runs upwards between rooms, reaches past a room's rule, or closes a circle between files. */
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { rooms } from './rooms.ts';

const importPattern =
  /(?:^|\n)\s*(?:import|export)\s[^'"`;]*?from\s+['"]([^'"]+)['"]|import\(\s*['"]([^'"]+)['"]\s*\)/g;
const faults: string[] = [];
const graph = new Map<string, string[]>();

for (const file of globSync('src/**/*.ts')) {
  const targets = importsOf(file);
  graph.set(file, targets);
  for (const target of targets) checkRooms(file, target);
}
for (const circle of circles()) faults.push(`import circle: ${circle.join(' → ')}`);

if (faults.length > 0) {
  console.error(faults.join('\n'));
  process.exit(1);
}

/** Relative imports of a file, type-only ones too: a type is knowledge of the other room as well. */
function importsOf(file: string): string[] {
  const text = readFileSync(file, 'utf8');
  return [...text.matchAll(importPattern)]
    .map(match => match[1] ?? match[2] ?? '')
    .filter(specifier => specifier.startsWith('.'))
    .map(specifier => normalize(join(dirname(file), specifier)));
}

function roomOf(file: string): string | undefined {
  const [top, room, rest] =
    relative('src', file).split('/').length > 1 ? ['src', ...relative('src', file).split('/')] : [];
  return top && rest !== undefined ? room : undefined;
}

function checkRooms(file: string, target: string): void {
  const from = roomOf(file);
  const to = roomOf(target);
  if (file.endsWith('.test.ts')) return; // a spec may use whatever helps it
  if (from === undefined) return; // main.ts and its like wire everything
  if (to === undefined) return void faults.push(`${file} imports ${target}, which is above all rooms`);
  if (from === to) return;
  if (!rooms[from]) return void faults.push(`${file}: the room ${from} is not in scripts/rooms.ts`);
  if (!rooms[from].includes(to)) faults.push(`${file} imports ${target}: ${from} may not import ${to}`);
}

function circles(): string[][] {
  const found: string[][] = [];
  const state = new Map<string, 'open' | 'done'>();
  const visit = (file: string, path: string[]): void => {
    if (state.get(file) === 'done') return;
    if (state.get(file) === 'open') return void found.push([...path.slice(path.indexOf(file)), file]);
    state.set(file, 'open');
    for (const target of graph.get(file) ?? []) visit(target, [...path, file]);
    state.set(file, 'done');
  };
  for (const file of graph.keys()) visit(file, []);
  return found;
}
