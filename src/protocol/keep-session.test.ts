import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, test } from 'node:test';

const program = new URL('../../test/support/collected-sessions.ts', import.meta.url).pathname;

/** @returns how the program ended: its exit code or the signal, and what it said */
async function run(kind: string): Promise<{ end: unknown; said: string }> {
  // without a core file
  const command = ['-c', 'ulimit -c 0; exec "$@"', 'sh', process.execPath, '--expose-gc', program, kind];
  const child = spawn('sh', command, { stdio: ['ignore', 'ignore', 'pipe'], timeout: 50_000 });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', text => {
    said += text;
  });
  const [code, signal] = await once(child, 'close');
  return { end: code ?? signal, said };
}

describe('garbage is collected in the very turn in which a session ends behind a malformed header block', () => {
  for (const kind of ['tiller', 'listener'])
    test(`${kind}: the process goes on`, async () => {
      const { end, said } = await run(kind);
      assert.equal(end, 0, said);
    });

  test('node:http2 by itself aborts', async () => {
    const { end, said } = await run('bare');
    assert.equal(end, 'SIGABRT', 'Node survives that by itself now: keep-session.ts can go');
    assert.match(said, /current_nghttp2_memory_/);
  });
});
