/** The README's commands, typed in as they stand against the program started as it says. */
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The commands of the shell blocks of one section; a command goes on where a quote is open. */
function commandsOf(file: string, section: string): string[] {
  const text = readFileSync(file, 'utf8')
    .split(/^## /m)
    .find(part => part.startsWith(section));
  assert.ok(text, `${file} has no section ${section}`);
  const blocks = [...text.matchAll(/```sh\n([\s\S]*?)```/g)].map(match => match[1] ?? '');
  return blocks.flatMap(block => block.split(/\n(?=curl )/)).map(command => command.trim());
}

const story = commandsOf('README.md', 'A first release');
const commands = commandsOf('docs/api.md', 'Every route');
let gateway: ReturnType<typeof spawn>;
let port = 0;

before(async () => {
  gateway = spawn(process.execPath, ['src/main.ts', '--addr', '127.0.0.1:0', '--log-format', 'json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  assert.ok(gateway.stdout);
  for await (const line of createInterface(gateway.stdout)) {
    const listening = /listening on 127\.0\.0\.1:(\d+)/.exec(line);
    if (listening) port = Number(listening[1]);
    if (listening) break;
  }
  gateway.stdout.resume();
});

after(async () => {
  gateway.kill('SIGTERM');
  if (gateway.exitCode === null) await once(gateway, 'exit');
});

/** @returns what the command wrote */
async function type(command: string): Promise<string> {
  const { stdout } = await run('bash', ['-c', command.replaceAll('localhost:9855', `127.0.0.1:${port}`)], {
    maxBuffer: 2 ** 24,
  });
  assert.notEqual(stdout, '');
  assert.doesNotMatch(stdout, /^\{"code":|^\{"error":/);
  return stdout;
}

describe("the README's first release", () => {
  const outputs: string[] = [];
  for (const command of story) {
    test(command.split('\n')[0], async () => {
      outputs.push(await type(command));
    });
  }

  test('is installed, listed, upgraded, rolled back and removed by its commands', () => {
    const verbs = [/ -F chart_archive=@/, /releases\/json/, /-X PUT/, /rollback\/json/, /-X DELETE/];
    const positions = verbs.map(verb => story.findIndex(command => verb.test(command)));
    assert.deepEqual(
      positions,
      [...positions].sort((a, b) => a - b),
    );
    assert.ok(!positions.includes(-1));
    assert.match(outputs[1] ?? '', /"greeter"/);
  });
});

test("the README's two commands are scripts of the package, and its links lead somewhere", () => {
  const readme = readFileSync('README.md', 'utf8');
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8'));
  assert.match(readme, /^npm ci && npm start .*\nnpm ci && npm test /m);
  assert.ok(scripts.start && scripts.test);
  for (const file of [
    'README.md',
    'CONTRIBUTING.md',
    'docs/architecture.md',
    'docs/security.md',
    'docs/deploy.md',
    'docs/api.md',
    'docs/helm-wrapper.md',
    'docs/swift.md',
  ]) {
    const links = [...readFileSync(file, 'utf8').matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(
      ([, link]) => link,
    );
    for (const link of links) assert.ok(existsSync(join(dirname(file), link ?? '')), `${file}: ${link}`);
  }
});

test('the paths that the docs name exist', () => {
  for (const file of ['CONTRIBUTING.md', 'docs/architecture.md']) {
    const paths =
      readFileSync(file, 'utf8').match(
        /`(?:src|scripts|packages|proto|test|manifests|charts|docs)\/[\w./-]+`/g,
      ) ?? [];
    for (const path of paths) assert.ok(existsSync(path.slice(1, -1)), `${file}: ${path}`);
  }
});

test('docs/architecture.md has every room, and no other', () => {
  const rooms = readFileSync('docs/architecture.md', 'utf8').split(/^## /m)[1] ?? '';
  const named = [...rooms.matchAll(/^\| (.*?) \|/gm)].flatMap(([, cell]) => cell?.match(/\w+(?=\/`)/g) ?? []);
  const folders = readdirSync('src', { withFileTypes: true }).filter(entry => entry.isDirectory());
  assert.deepEqual(named.sort(), folders.map(({ name }) => name).sort());
});

describe('every route of docs/api.md', () => {
  for (const command of commands) test(command.split('\n')[0], () => type(command).then(() => {}));
});

test('a curl for every route of the API, those of charts in docs/charts.md', async () => {
  const document = (await (await fetch(`http://127.0.0.1:${port}/openapi.json`)).json()) as {
    paths: Record<string, object>;
  };
  const text = readFileSync('docs/charts.md', 'utf8').replaceAll('$GATEWAY', 'localhost:9855');
  for (const path of Object.keys(document.paths)) {
    const pattern = new RegExp(`localhost:9855${path.replace(/\{\w+\}/g, '[\\w.-]+')}`);
    const isShown = [...commands, ...(/\/(charts|repositories)\//.test(path) ? [text] : [])].some(shown =>
      pattern.test(shown),
    );
    assert.ok(isShown, path);
  }
});
