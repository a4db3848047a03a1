import { wireToJson } from '../codec/index.ts';
import { type Logger, maskPayload } from '../observe/index.ts';
import { codeName, GatewayError } from '../protocol/index.ts';
import type { ReleaseMethod, ReleaseService } from '../releases/index.ts';

type MessageType = ReleaseMethod['contract']['request'];

/** A larger message is named by its size alone: making JSON of it would cost more than the call. */
const maxShownBytes = 1024 * 1024;

/** The same service, which logs the messages of every call (`--log-rpc`), with everything secret masked. */
export function withRpcLog(service: ReleaseService, log: Logger): ReleaseService {
  return { ...service, methods: service.methods.map(method => logged(method, log)) };
}

function logged(method: ReleaseMethod, log: Logger): ReleaseMethod {
  const { name, request, response } = method.contract;
  const write = (what: 'request' | 'reply', type: MessageType, wire: Uint8Array) =>
    log.info(`rpc ${name} ${what}`, { rpc: name, [what]: shown(type, wire) });
  const fail = (thrown: unknown) => {
    const { code, message } = GatewayError.from(thrown);
    log.info(`rpc ${name} failed`, { rpc: name, grpcCode: codeName(code), error: message });
  };
  if (method.kind === 'unary') {
    return {
      ...method,
      async call(wire, context) {
        write('request', request, wire);
        try {
          const reply = await method.call(wire, context);
          write('reply', response, reply);
          return reply;
        } catch (error) {
          fail(error);
          throw error;
        }
      },
    };
  }
  return {
    ...method,
    async *call(wire, context) {
      write('request', request, wire);
      try {
        for await (const reply of method.call(wire, context)) {
          write('reply', response, reply);
          yield reply;
        }
      } catch (error) {
        fail(error);
        throw error;
      }
    },
  };
}

function shown(type: MessageType, wire: Uint8Array): unknown {
  if (wire.length > maxShownBytes) return `${wire.length} bytes`;
  try {
    return maskPayload(JSON.parse(wireToJson(type, wire).toString()));
  } catch {
    return `${wire.length} bytes that are no ${type.name}`;
  }
}
