import {
  decodeMessage,
  encodeMessage,
  type MessageTypes,
  messageType,
  type Partially,
  rewriteMessage,
} from '../codec/index.ts';
import type { CallContext } from '../protocol/index.ts';

/** What answers a method whatever backend there is. Requests and replies are in wire format. */
export type Answer = (backend: unknown, request: Uint8Array, context: CallContext) => Promise<Uint8Array>;

type Named<Suffix extends string> = {
  [Name in keyof MessageTypes]: Name extends `appscode.swift.v2.${infer Method}${Suffix}` ? Method : never;
}[keyof MessageTypes];
type MethodName = Named<'Request'> & Named<'Response'>;

/** Reads the request of a method and writes its reply. @throws GatewayError INVALID_ARGUMENT when the request is malformed */
export function answer<Name extends MethodName>(
  method: Name,
  call: (
    request: MessageTypes[`appscode.swift.v2.${Name}Request`],
    context: CallContext,
  ) => Promise<Partially<MessageTypes[`appscode.swift.v2.${Name}Response`]>>,
): Answer {
  const request = `appscode.swift.v2.${method}Request` as const;
  return async (_backend, wire, context) => {
    const reply = await call(decodeRequest(request, wire), context);
    return encodeMessage(`appscode.swift.v2.${method}Response`, reply);
  };
}

/** What was checked is what is read. @throws GatewayError INVALID_ARGUMENT when the bytes are not such a message */
export function decodeRequest<Name extends keyof MessageTypes>(
  name: Name,
  wire: Uint8Array,
): MessageTypes[Name] {
  return decodeMessage(name, rewriteMessage(messageType(name), wire));
}
