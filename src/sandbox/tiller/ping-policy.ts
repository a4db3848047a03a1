import { constants, type ServerHttp2Session } from 'node:http2';

/** Tiller's `keepalive.EnforcementPolicy`: with an open call, a ping may come this soon after the one before. */
const minPingIntervalMs = 20_000;

/** Without an open call, a ping may come this soon after the one before (grpc-go's `defaultPingTimeout`). */
const minIdlePingIntervalMs = 2 * 60 * 60 * 1000;

/** The next strike after these ends the connection. */
const maxStrikes = 2;

/**
 * Ends a connection whose client pings too often, as the real Tiller does: with GOAWAY ENHANCE_YOUR_CALM and
 * `too_many_pings`. An answer to a call forgives earlier strikes.
 * Source: https://github.com/grpc/grpc-go/blob/v1.18.0/internal/transport/http2_server.go, `handlePing`
 * @param now milliseconds; default: the system's clock
 */
export function enforcePingPolicy(session: ServerHttp2Session, now: () => number = Date.now): void {
  let calls = 0;
  let strikes = 0;
  let isForgiven = false;
  let lastPingAt = Number.NEGATIVE_INFINITY;
  session.on('stream', stream => {
    calls++;
    stream.once('close', () => {
      calls--;
      isForgiven = true;
    });
  });
  session.on('ping', () => {
    const sinceLast = now() - lastPingAt;
    lastPingAt = now();
    if (isForgiven) {
      isForgiven = false;
      strikes = 0;
    } else if (sinceLast < (calls > 0 ? minPingIntervalMs : minIdlePingIntervalMs)) {
      strikes++;
    }
    if (strikes <= maxStrikes || session.destroyed) return;
    session.goaway(constants.NGHTTP2_ENHANCE_YOUR_CALM, 0, Buffer.from('too_many_pings'));
    session.close(); // a destroyed session would keep grpc-js from shutting down
  });
}
