import { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import type { Express } from 'express';
import type { HttpRequest, HttpResponse } from '../protocol/index.ts';

/** @param done runs when no step of the app has answered; with an error where one has thrown it */
type Handle = (request: HttpRequest, response: HttpResponse, done: (error?: unknown) => void) => void;

/**
 * One express app for both HTTP versions. Express sets the prototype of every request and response to its own, which
 * inherit from HTTP/1.1's; an HTTP/2 request would lose what it is. So the app gets a twin that differs in nothing but
 * these two prototypes: express's methods on top of HTTP/2's.
 */
export function handlerForBothVersions(app: Express): Handle {
  const twin: Express = Object.create(app, {
    request: { value: onTopOf(Http2ServerRequest.prototype, app, 'request') },
    response: { value: onTopOf(Http2ServerResponse.prototype, app, 'response') },
  });
  const http1 = (app as unknown as { handle: Handle }).handle.bind(app);
  const http2 = (twin as unknown as { handle: Handle }).handle.bind(twin);
  return (request, ...rest) => (request.httpVersionMajor === 2 ? http2 : http1)(request, ...rest);
}

/** Express's own methods (two levels: the app's and express's), then everything of HTTP/2. */
function onTopOf(base: object, app: Express, which: 'request' | 'response'): object {
  const ofApp = app[which];
  const ofExpress = Object.getPrototypeOf(ofApp);
  const middle = Object.create(base, Object.getOwnPropertyDescriptors(ofExpress));
  const top = Object.create(middle, Object.getOwnPropertyDescriptors(ofApp));
  // Express links the two by `request.res` and `response.req`; HTTP/2's `req` is a getter without a setter.
  Object.defineProperty(top, which === 'request' ? 'res' : 'req', { value: undefined, writable: true });
  return top;
}
