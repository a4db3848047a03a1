import type { Duplex } from 'node:stream';
import { type ApiAnswer, failure } from './api-call.ts';

/** What may be refused: requests for objects, watches among them; watches alone; opening a port-forward. */
export type Refusable = 'list' | 'watch' | 'portforward';

/** Faults that tests can switch on in the API server. */
export interface Misbehaviour {
  /** Breaks all open tunnels without a close frame, as a restarted API server does. */
  cutTunnels(): void;
  /** Breaks the tunnel that has been open for longest. */
  cutOneTunnel(): void;
  /** Breaks all open watches, as a restarted API server does. */
  cutWatches(): void;
  /** Forgets all changes so far: a watch that goes on from an earlier version gets 410. */
  forgetHistory(): void;
  /** Makes all open tunnels half-open: nothing arrives at either end any more, and nothing is closed. */
  freezeTunnels(): void;
  /** Lets every request wait before it is looked at. */
  delay(delayMs: number): void;
  /** Answers such requests with this status; without a status, properly again. */
  refuse(what: Refusable, status?: number): void;
  /** Sends the bytes of the port headers in a message each. */
  splitPortHeaders(on: boolean): void;
  /** Sends no port headers, and so never gets a tunnel ready. */
  withholdPortHeaders(on: boolean): void;
}

/** The misbehaviour with what the server asks of it. */
export interface Faults extends Misbehaviour {
  readonly delayMs: number;
  refusal(what: Refusable): ApiAnswer | undefined;
  portHeaders(port: number): Buffer[];
  /** A tunnel to that Pod has begun on this connection. */
  opened(podUid: string, connection: Duplex): void;
  /** Breaks the tunnels to one Pod. */
  cutTunnelsTo(podUid: string): void;
  readonly openTunnels: number;
}

/** @param store of the objects, and their watches, as far as faults need them */
export function createFaults(store: { compact(): void }, watches: { cut(): void }): Faults {
  const tunnels = new Map<Duplex, string>();
  const refused = new Map<Refusable, number>();
  let delayMs = 0;
  let splitHeaders = false;
  let withheldHeaders = false;

  const cut = (isMeant: (podUid: string) => boolean) => {
    for (const [connection, podUid] of tunnels) if (isMeant(podUid)) connection.destroy();
  };
  return {
    get delayMs() {
      return delayMs;
    },
    get openTunnels() {
      return tunnels.size;
    },
    cutTunnels: () => cut(() => true),
    cutOneTunnel: () => void tunnels.keys().next().value?.destroy(),
    cutWatches: () => watches.cut(),
    forgetHistory: () => store.compact(),
    cutTunnelsTo: podUid => cut(uid => uid === podUid),
    freezeTunnels() {
      for (const connection of tunnels.keys()) {
        connection.pause();
        connection.cork(); // what is written from now on stays here
      }
    },
    delay(value) {
      delayMs = value;
    },
    refuse(what, status) {
      if (status === undefined) refused.delete(what);
      else refused.set(what, status);
    },
    splitPortHeaders(on) {
      splitHeaders = on;
    },
    withholdPortHeaders(on) {
      withheldHeaders = on;
    },
    refusal(what) {
      const status = refused.get(what);
      return status === undefined ? undefined : failure(status, `the sandbox was told to refuse: ${what}`);
    },
    portHeaders(port) {
      if (withheldHeaders) return [];
      const [low, high] = [port & 0xff, port >> 8];
      if (!splitHeaders) return [Buffer.of(0, low, high), Buffer.of(1, low, high)];
      return [Buffer.of(0, low), Buffer.of(1, low), Buffer.of(1, high), Buffer.of(0, high)];
    },
    opened(podUid, connection) {
      tunnels.set(connection, podUid);
      connection.once('close', () => tunnels.delete(connection));
    },
  };
}
