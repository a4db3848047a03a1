/** The README's commands, typed in as they stand against the program started as it says. */
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';

const run = promisify(execFile);
const readme = readFileSync('README.md', 'utf8');

/** The commands of the shell blocks of one section; a command goes on where a quote is open. */
function commandsOf(section: string): string[] {
  const text = readme.split(/^## /m).find(part => part.startsWith(section)) ?? '';
  const blocks = [...text.matchAll(/```sh\n([\s\S]*?)```/g)].map(match => match[1] ?? '');
  return blocks.flatMap(block => block.split(/\n(?=curl )/)).map(command => command.trim());
}

const commands = commandsOf('Every route');
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

describe('every route of the README', () => {
  for (const command of commands) {
    test(command.split('\n')[0], async () => {
      const { stdout } = await run(
        'bash',
        ['-c', command.replaceAll('localhost:9855', `127.0.0.1:${port}`)],
        { maxBuffer: 2 ** 24 },
      );
      assert.notEqual(stdout, '');
      assert.doesNotMatch(stdout, /^\{"code":|^\{"error":/);
    });
  }
});

test('a curl for every route of the API', async () => {
  const document = (await (await fetch(`http://127.0.0.1:${port}/openapi.json`)).json()) as {
    paths: Record<string, object>;
  };
  for (const path of Object.keys(document.paths)) {
    const pattern = new RegExp(`localhost:9855${path.replace('{name}', '[a-z]+').replaceAll('/', '\\/')}`);
    assert.ok(
      commands.some(command => pattern.test(command)),
      path,
    );
  }
});
