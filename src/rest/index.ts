export { createRestFront, type RestOptions } from './app.ts';
export type { CorsOptions } from './cors.ts';
export type { FinishedRequest, RequestEvents } from './exchange.ts';
export type { HttpRequest, HttpResponse } from './http.ts';
export type { Page } from './page.ts';
