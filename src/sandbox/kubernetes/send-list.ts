import type { ServerResponse } from 'node:http';
import type { ListParts } from './representation.ts';

/** Items are written together until they have about this many characters. */
const chunkLength = 256 * 1024;

/** Sends a list item by item, as fast as the client reads: the whole of it is never one text. */
export async function sendList(response: ServerResponse, parts: ListParts): Promise<void> {
  const { head, more, itemsName, items, toItem } = parts;
  response.writeHead(200, { 'content-type': 'application/json' });
  const start = JSON.stringify({ ...head, ...more }).slice(0, -1);
  const chunk: string[] = [`${start},"${itemsName}":[`];
  let length = 0;
  for (const [index, item] of items.entries()) {
    const text = JSON.stringify(toItem(item));
    chunk.push(index === 0 ? text : `,${text}`);
    length += text.length;
    if (length < chunkLength) continue;
    const isReady = response.write(chunk.splice(0).join(''));
    length = 0;
    if (!isReady && !response.destroyed) await drained(response);
    if (response.destroyed) return;
  }
  response.end(`${chunk.join('')}]}`);
}

/** Until the client has read, or has left. */
function drained(response: ServerResponse): Promise<void> {
  return new Promise(resolve => {
    const done = () => {
      response.off('drain', done).off('close', done);
      resolve();
    };
    response.on('drain', done).on('close', done);
  });
}
