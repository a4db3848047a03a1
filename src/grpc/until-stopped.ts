import { unavailable } from '../protocol/index.ts';
import type { CallHandler } from './handler.ts';

/** A handler of calls that last as long as their clients like: they end when the gateway stops, which waits for none. */
export function untilStopped(handler: CallHandler, stopping: AbortSignal): CallHandler {
  return async call => {
    const stop = () => call.abort(unavailable('the gateway is stopping'));
    if (stopping.aborted) stop();
    stopping.addEventListener('abort', stop, { once: true });
    try {
      return await handler(call);
    } finally {
      stopping.removeEventListener('abort', stop);
    }
  };
}
