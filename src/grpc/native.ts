import type { Backend } from '../backends/index.ts';
import { MalformedMessage } from '../codec/index.ts';
import { Code, invalidArgument } from '../protocol/index.ts';
import type { ReleaseMethod } from '../releases/index.ts';
import type { CallHandler } from './handler.ts';

/** Answers a method of `appscode.swift.v2.ReleaseService`: bytes in, bytes out. */
export function handlerOf(method: ReleaseMethod, backend: Backend): CallHandler {
  return async call => {
    const request = await call.request();
    try {
      if (method.kind === 'unary') await call.send(await method.call(backend, request, call));
      else for await (const message of method.call(backend, request, call)) await call.send(message);
    } catch (error) {
      // The only bytes that a method reads before it calls Tiller are the caller's.
      if (error instanceof MalformedMessage) throw invalidArgument(error.message, { cause: error });
      throw error;
    }
    return Code.OK;
  };
}
