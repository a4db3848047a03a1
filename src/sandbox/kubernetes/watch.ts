import type { ServerResponse } from 'node:http';
import { tableOf } from '../objects/cluster-objects.ts';
import { expired, KubeFailure } from '../objects/failure.ts';
import type { KubeObject } from '../objects/kube-object.ts';
import type { EventType, ObjectEvent, ObjectStore } from '../objects/object-store.ts';
import type { ServedResource } from '../objects/resources.ts';
import type { ListQuery } from './list-query.ts';
import { bookmark, type Form, oneObject } from './representation.ts';

/** How watches behave. */
export interface WatchOptions {
  /** How often a bookmark is sent to those who allow it. Default: a minute, as the API server does. */
  readonly bookmarkIntervalMs?: number;
  /** How many watches may be open. Default: 20,000. */
  readonly maxWatches?: number;
  /** A watch with more than this unsent is ended. Default: 64 MiB. */
  readonly maxUnsentBytes?: number;
}

/** A watch that names no end gets one, between this and twice as much, as `--min-request-timeout` does it. */
const minTimeoutMs = 30 * 60 * 1000;

/** The open watches. */
export class Watches {
  readonly #open = new Set<ServerResponse>();
  readonly #store: ObjectStore;
  readonly #options: Required<WatchOptions>;

  constructor(store: ObjectStore, options: WatchOptions = {}) {
    this.#store = store;
    this.#options = {
      bookmarkIntervalMs: options.bookmarkIntervalMs ?? 60_000,
      maxWatches: options.maxWatches ?? 20_000,
      maxUnsentBytes: options.maxUnsentBytes ?? 64 * 1024 ** 2,
    };
  }

  get count(): number {
    return this.#open.size;
  }

  /** Breaks all watches without an end of their answers, as a restarted API server does. */
  cut(): void {
    for (const response of this.#open) response.destroy();
  }

  /**
   * Answers with changes, one JSON object a line, until the client leaves or the time is over.
   * @throws KubeFailure 429, before anything is sent
   */
  open(
    served: ServedResource,
    namespace: string | undefined,
    query: ListQuery,
    form: Form,
    response: ServerResponse,
  ): void {
    if (this.#open.size >= this.#options.maxWatches) {
      throw new KubeFailure(429, 'TooManyRequests', 'too many watches are open already', {
        retryAfterSeconds: 1,
      });
    }
    this.#open.add(response);
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    const writer = new EventWriter(served, form, response, this.#options.maxUnsentBytes);
    const deliver = (event: ObjectEvent) => {
      const seen = event.table === tableOf(served) && asSeen(event, namespace, query);
      if (seen) writer.send(seen.type, seen.object);
      if (seen) writer.seen(event.version);
    };
    if (!this.#start(writer, served, namespace, query, deliver))
      return void response.end(() => this.#open.delete(response));
    const unsubscribe = this.#store.subscribe(deliver);
    const sendBookmark = () => {
      if (query.allowBookmarks) writer.sendBookmark(this.#store.version);
    };
    const bookmarks = setInterval(sendBookmark, this.#options.bookmarkIntervalMs).unref();
    const timeoutMs =
      query.timeoutSeconds > 0 ? query.timeoutSeconds * 1000 : minTimeoutMs * (1 + Math.random());
    const timeout = setTimeout(
      () => {
        sendBookmark();
        response.end();
      },
      Math.min(timeoutMs, 2 ** 31 - 1),
    ).unref();
    response.once('close', () => {
      unsubscribe();
      clearInterval(bookmarks);
      clearTimeout(timeout);
      this.#open.delete(response);
    });
  }

  /** Sends what was before the watch. @returns whether it may go on */
  #start(
    writer: EventWriter,
    served: ServedResource,
    namespace: string | undefined,
    query: ListQuery,
    deliver: (event: ObjectEvent) => void,
  ): boolean {
    const from = query.resourceVersion ?? 0;
    if (from === 0) {
      for (const object of this.#store.list(tableOf(served), namespace)) {
        if (query.matches(object)) writer.send('ADDED', object);
      }
      return true;
    }
    const missed = from > this.#store.version ? undefined : this.#store.since(from);
    if (!missed) {
      writer.sendFailure(expired(`too old resource version: ${from} (${this.#store.oldestVersion})`));
      return false;
    }
    for (const event of missed) deliver(event);
    return true;
  }
}

/** Writes one watch's lines. */
class EventWriter {
  readonly #served: ServedResource;
  readonly #form: Form;
  readonly #response: ServerResponse;
  readonly #maxUnsentBytes: number;
  #isFirst = true;
  #seen = 0;

  constructor(served: ServedResource, form: Form, response: ServerResponse, maxUnsentBytes: number) {
    this.#served = served;
    this.#form = form;
    this.#response = response;
    this.#maxUnsentBytes = maxUnsentBytes;
  }

  seen(version: number): void {
    this.#seen = version;
  }

  send(type: EventType, object: KubeObject): void {
    const text =
      this.#form.as === 'object'
        ? textOf(this.#served, object)
        : JSON.stringify(oneObject(this.#form, this.#served, object, this.#isFirst));
    this.#isFirst = false;
    this.#write(`{"type":"${type}","object":${text}}\n`);
  }

  sendBookmark(version: number): void {
    if (version === this.#seen) return; // the client knows
    this.#seen = version;
    this.#write(
      `${JSON.stringify({ type: 'BOOKMARK', object: bookmark(this.#form, this.#served, version) })}\n`,
    );
  }

  sendFailure(failure: KubeFailure): void {
    this.#write(`${JSON.stringify({ type: 'ERROR', object: failure.toStatus() })}\n`);
  }

  /** A client that does not read is cut off: its next watch begins where this one ended. */
  #write(line: string): void {
    if (this.#response.destroyed || this.#response.writableEnded) return;
    this.#response.write(line);
    if (this.#response.writableLength > this.#maxUnsentBytes) this.#response.destroy();
  }
}

/** How a watch sees a change: an object that comes into a selection is added to it, one that leaves it deleted. */
function asSeen(
  { type, before, object }: ObjectEvent,
  namespace: string | undefined,
  { matches, selects }: ListQuery,
): { type: EventType; object: KubeObject } | undefined {
  if (namespace !== undefined && object.metadata.namespace !== namespace) return undefined;
  if (!selects) return { type, object };
  const was = before !== undefined && matches(before);
  const is = type !== 'DELETED' && matches(object);
  if (is) return { type: was ? 'MODIFIED' : 'ADDED', object };
  if (!was) return undefined;
  const { resourceVersion = '' } = object.metadata;
  return { type: 'DELETED', object: { ...before, metadata: { ...before.metadata, resourceVersion } } };
}

/** The text of the object that was sent last: many watches send the same one after another. */
let last: { object: KubeObject; apiVersion: string; text: string } | undefined;

function textOf(served: ServedResource, object: KubeObject): string {
  const apiVersion = `${served.group}/${served.version}`;
  if (last?.object === object && last.apiVersion === apiVersion) return last.text;
  const text = JSON.stringify(oneObject({ as: 'object' }, served, object));
  last = { object, apiVersion, text };
  return text;
}
