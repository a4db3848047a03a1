import type { HttpRequest } from '../protocol/index.ts';
import { answerOptions, type RestApi, refuseVerb } from './api.ts';
import { type CorsOptions, writeCors } from './cors.ts';
import type { Answered, Exchange } from './exchange.ts';

/** What is done with a request that something beside the one release service answers. */
export interface Mounted {
  /** A template for metrics, never a path with names in it. */
  readonly route: string;
  /** The verbs that are answered; any where it is missing, and then `answer` sees to CORS and OPTIONS itself. */
  readonly verbs?: readonly string[];
  /** @throws GatewayError, which becomes the answer */
  answer(exchange: Exchange): Answered | Promise<Answered>;
}

/** @returns undefined for a request that is none of its business */
export type Mount = (request: HttpRequest, api: RestApi) => Mounted | undefined;

export function answerMounted(
  exchange: Exchange,
  { verbs, answer }: Mounted,
  cors: CorsOptions,
): Answered | Promise<Answered> {
  if (!verbs) {
    if (exchange.verb !== 'OPTIONS') writeCors(cors, exchange.request, exchange.response);
    return answer(exchange);
  }
  const isPreflight = exchange.verb === 'OPTIONS';
  writeCors(cors, exchange.request, exchange.response, isPreflight ? verbs : undefined);
  if (isPreflight) return answerOptions(exchange, verbs);
  return verbs.includes(exchange.verb) ? answer(exchange) : refuseVerb(exchange, verbs);
}
