import { MalformedMessage } from '../codec/index.ts';
import { Code, invalidArgument } from '../protocol/index.ts';
import type { ReleaseMethod, ReleaseService } from '../releases/index.ts';
import type { CallHandler } from './handler.ts';

/** The handlers of `appscode.swift.v2.ReleaseService` by path: bytes in, bytes out. */
export function nativeHandlers(service: ReleaseService): [string, CallHandler][] {
  return service.methods.map(method => [`/${service.name}/${method.contract.name}`, handlerOf(method)]);
}

export function handlerOf(method: ReleaseMethod): CallHandler {
  return async call => {
    const request = await call.request();
    try {
      if (method.kind === 'unary') await call.send(await method.call(request, call));
      else for await (const message of method.call(request, call)) await call.send(message);
    } catch (error) {
      // The only bytes that a method reads before it calls Tiller are the caller's.
      if (error instanceof MalformedMessage) throw invalidArgument(error.message, { cause: error });
      throw error;
    }
    return Code.OK;
  };
}
