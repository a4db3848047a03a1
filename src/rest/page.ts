import { Code } from '../protocol/index.ts';
import type { Answered, Exchange } from './exchange.ts';
import { prettyJson } from './pretty-json.ts';
import { type Content, sendContent } from './send.ts';

/** Something to GET beside the API: the landing page, the OpenAPI document, health, metrics. */
export type Page = () => Content | Promise<Content>;

export const pageVerbs = ['GET', 'HEAD', 'OPTIONS'] as const;

export async function answerPage(exchange: Exchange, page: Page): Promise<Answered> {
  const content = await page();
  const pretty = exchange.pretty && content.type === 'application/json';
  const bytes = await sendContent(exchange.request, exchange.response, {
    ...content,
    body: pretty ? prettyJson(content.body) : content.body,
  });
  return { code: content.status < 400 ? Code.OK : Code.UNAVAILABLE, bytes };
}
