import type { Readable } from 'node:stream';
import { Busboy, type BusboyInstance } from '@fastify/busboy';
import {
  abortReason,
  type CallContext,
  GatewayError,
  type HttpRequest,
  headerOf,
  invalidArgument,
  limitExceeded,
} from '../protocol/index.ts';
import type { Exchange } from './exchange.ts';
import { leaveBody } from './send.ts';

/** Far more parts than there are fields. */
const maxParts = 20;
const maxFieldBytes = 1024;

/** What has arrived of a file, and is not wanted where its form is refused. */
export interface Received {
  discard(): Promise<void>;
}

/** Takes a file as it arrives. */
export type Receive<R extends Received> = (
  source: AsyncIterable<Uint8Array>,
  context: CallContext,
) => Promise<R>;

export interface UploadForm<R extends Received> {
  readonly received: R;
  /** What the client calls the file. */
  readonly fileName: string;
  /** The fields beside the file. */
  readonly fields: readonly [name: string, value: string][];
}

/**
 * Reads a form with a chart: its file goes to disk as it arrives, whatever is sent before or behind it. Of a form that
 * is refused nothing more is read, and its connection is not used again.
 * @param maxBytes of the whole form
 * @throws GatewayError INVALID_ARGUMENT for a form without the file `chart`; RESOURCE_EXHAUSTED past the bound; what
 * `receive` throws
 */
export async function readUploadForm<R extends Received>(
  { request, response }: Exchange,
  receive: Receive<R>,
  maxBytes: number,
  context: CallContext,
): Promise<UploadForm<R>> {
  if (Number(headerOf(request, 'content-length') ?? 0) > maxBytes) throw tooLarge(maxBytes);
  const form = new FormReader(request, receive, maxBytes, context);
  try {
    return await form.done;
  } catch (error) {
    if (!request.complete) leaveBody(response);
    throw error;
  }
}

interface FormFile<R extends Received> {
  readonly fileName: string;
  readonly stream: Readable;
  readonly received: Promise<R>;
}

/** Feeds a request's body to the parser, no faster than the file in it is written. */
class FormReader<R extends Received> {
  readonly #form = Promise.withResolvers<UploadForm<R>>();
  readonly #request: HttpRequest;
  readonly #receive: (source: AsyncIterable<Uint8Array>) => Promise<R>;
  readonly #maxBytes: number;
  readonly #parser: BusboyInstance;
  readonly #fields: [string, string][] = [];
  #file: FormFile<R> | undefined;
  #bytes = 0;
  #isOver = false;

  constructor(request: HttpRequest, receive: Receive<R>, maxBytes: number, context: CallContext) {
    this.#request = request;
    this.#receive = source => receive(source, context);
    this.#maxBytes = maxBytes;
    this.#parser = createParser(request);
    this.#parser
      .on('field', (name: string | undefined, value) => this.#takeField(name, value))
      .on('file', (name: string | undefined, stream, fileName) => this.#takeFile(name, stream, fileName))
      .on('partsLimit', () => this.#fail(invalidArgument(`the form has more than ${maxParts} parts`)))
      .on('error', (cause: unknown) => this.#fail(cutOff(cause)))
      .on('finish', () => void this.#finish());
    request.on('data', this.#take).on('end', this.#end).on('error', this.#leave).on('close', this.#leave);
    const { signal } = context;
    const abort = () => this.#fail(abortReason(signal));
    signal.addEventListener('abort', abort, { once: true });
    void this.done.catch(() => {}).then(() => signal.removeEventListener('abort', abort));
    if (signal.aborted) abort();
  }

  get done(): Promise<UploadForm<R>> {
    return this.#form.promise;
  }

  readonly #take = (chunk: Buffer): void => {
    this.#bytes += chunk.length;
    if (this.#bytes > this.#maxBytes) this.#fail(tooLarge(this.#maxBytes));
    if (this.#isOver || this.#parser.write(chunk) || this.#isOver) return;
    this.#request.pause();
    this.#parser.once('drain', () => {
      if (!this.#isOver) this.#request.resume();
    });
  };

  readonly #end = (): void => {
    // an HTTP/1.1 request closes now, although its client is there
    this.#request.off('close', this.#leave);
    this.#parser.end();
  };

  /** The client has gone, or its connection is broken. */
  readonly #leave = (cause?: unknown): void => this.#fail(cutOff(cause));

  #takeField(name: string | undefined, value: string): void {
    if (name === undefined) this.#fail(invalidArgument('a part of the form has no name'));
    else if (name === 'chart') this.#fail(invalidArgument('the part chart of the form has to be a file'));
    else this.#fields.push([name, value]);
  }

  #takeFile(name: string | undefined, stream: Readable, fileName: string | undefined): void {
    stream.on('error', () => {}); // whoever reads it hears of it
    if (name !== 'chart' || this.#file || this.#isOver) {
      stream.resume();
      this.#fail(invalidArgument('the form has to have one file, chart'));
      return;
    }
    const received = this.#receive(stream);
    this.#file = { fileName: fileName ?? '', stream, received };
    received.catch((error: unknown) => this.#fail(error));
  }

  async #finish(): Promise<void> {
    if (this.#isOver) return;
    if (!this.#file) return this.#fail(invalidArgument('the form has to have one file, chart'));
    const { fileName, received: arriving } = this.#file;
    const received = await arriving.catch(() => undefined); // its failure was taken already
    if (this.#isOver) return;
    this.#stop();
    if (received) this.#form.resolve({ received, fileName, fields: this.#fields });
  }

  #fail(error: unknown): void {
    if (this.#isOver) return;
    this.#stop();
    this.#request.pause();
    this.#file?.stream.destroy(error as Error);
    void this.#file?.received.then(
      received => received.discard(),
      () => {},
    );
    this.#form.reject(error);
  }

  #stop(): void {
    this.#isOver = true;
    this.#request
      .off('data', this.#take)
      .off('end', this.#end)
      .off('error', this.#leave)
      .off('close', this.#leave)
      .on('error', () => {});
  }
}

function createParser(request: HttpRequest): BusboyInstance {
  try {
    return new Busboy({
      headers: { 'content-type': headerOf(request, 'content-type') ?? '' },
      limits: { parts: maxParts, fieldSize: maxFieldBytes, fieldNameSize: 200 },
    });
  } catch (cause) {
    throw invalidArgument('the Content-Type of the form has no usable boundary', { cause });
  }
}

function cutOff(cause: unknown): GatewayError {
  return cause instanceof GatewayError
    ? cause
    : invalidArgument('the form is malformed or cut off', { cause });
}

function tooLarge(maxBytes: number): GatewayError {
  const message = `the request body is over the limit of ${maxBytes} bytes`;
  return limitExceeded(message, { reason: 'BODY_TOO_LARGE' });
}
