import type { Http2Session } from 'node:http2';

const kept = new Set<unknown>();

/**
 * Keeps the native half of an HTTP/2 session from being collected as garbage before those of its streams are freed.
 * Without this a peer can end the whole process: Node aborts where a session is collected while one of its streams still
 * has headers, and a stream has them for good whose header block was malformed in the middle. The native half of a
 * stream lives until the event loop's next turn, that of a destroyed session is nobody's at once, and a collection may
 * come in between (`Assertion failed: (current_nghttp2_memory_) == (0)`; seen with Node 24.21.0). Near it:
 * https://github.com/nodejs/node/issues/39844 https://github.com/nodejs/node/issues/39951
 *
 * No public property leads to the native half. Where a Node has none by that name the session stays as it is.
 */
export function keepSession(session: Http2Session): void {
  const keep = () => {
    const key = Object.getOwnPropertySymbols(session).find(({ description }) => description === 'kHandle');
    const half: unknown = key && Reflect.get(session, key);
    if (half === undefined || kept.has(half)) return;
    kept.add(half);
    session.once('close', () => setImmediate(() => kept.delete(half)));
  };
  keep();
  session.once('connect', keep); // where its socket was not connected yet
}
