/** Cells of the table tests of helm-wrapper's routes: a request, and the whole answer that is expected. */
import assert from 'node:assert/strict';
import { request as httpRequest } from 'node:http';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';

export interface Cell {
  readonly name: string;
  readonly verb: string;
  /** Below the gateway's URL. */
  readonly path: string;
  /** An object becomes JSON, text is sent as it is. */
  readonly body?: object | string;
  /** A form with one file, in place of `body`; its content in base64. */
  readonly file?: { readonly field: string; readonly name: string; readonly content: string };
  readonly headers?: Readonly<Record<string, string>>;
  /** Default: 200. */
  readonly status?: number;
  /** The answer, times aside; text for what is no JSON. */
  readonly answer: unknown;
}

export const ok = (data?: unknown) => ({ code: 0, ...(data !== undefined && { data }) });
export const failed = (error: string) => ({ code: 1, error });

const times = /\d{4}-\d\d-\d\d(?:T\d\d:\d\d:\d\d(?:\.\d+)?Z| \d\d:\d\d:\d\d(?:\.\d+)? \+0000 UTC)/g;

function toForm({ field, name, content }: NonNullable<Cell['file']>): Buffer {
  const head = `--limit\r\ncontent-disposition: form-data; name="${field}"; filename="${name}"\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), Buffer.from(content, 'base64'), Buffer.from('\r\n--limit--\r\n')]);
}

/** Sends a cell's request; a body goes along with any verb, as helm-wrapper's clients send it with GET. */
export async function send(url: string, { verb, path, body, file, headers }: Cell) {
  const content = file ? toForm(file) : typeof body === 'object' ? JSON.stringify(body) : body;
  const type = file ? 'multipart/form-data; boundary=limit' : 'application/json';
  const request = httpRequest(url + path, {
    method: verb,
    agent: false,
    headers: {
      ...(content !== undefined && { 'content-type': type }),
      ...(content !== undefined && { 'content-length': String(Buffer.byteLength(content)) }),
      ...headers,
    },
  });
  const { promise, resolve, reject } = Promise.withResolvers<import('node:http').IncomingMessage>();
  request.on('response', resolve).on('error', reject).end(content);
  const answer = await promise;
  const received = (await text(answer)).replace(times, 'TIME');
  const isJson = answer.headers['content-type']?.startsWith('application/json');
  return { status: answer.statusCode, answer: isJson ? JSON.parse(received) : received };
}

/**
 * Makes a test of each cell, in order: what one does the next ones may see.
 * @param serverOf the URL that SERVER stands for in cells
 * @param fill puts in what else is known only when they run
 */
export function testCells(
  urlOf: () => string,
  cells: readonly Cell[],
  serverOf: () => string = () => 'SERVER',
  fill = (text: string) => text,
): void {
  for (const cell of cells) {
    test(`${cell.verb} ${cell.path}: ${cell.name}`, async () => {
      const { status = 200, ...asked } = JSON.parse(
        fill(JSON.stringify(cell).replaceAll('SERVER', serverOf())),
      ) as Cell;
      assert.deepEqual(await send(urlOf(), asked), { status, answer: asked.answer });
    });
  }
}
