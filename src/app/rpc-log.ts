import { type Method, service, wireToJson } from '../codec/index.ts';
import type { MessageTap } from '../grpc/index.ts';
import { firstLines, type Logger, maskPayload } from '../observe/index.ts';
import { codeName, GatewayError, maxHereBytes } from '../protocol/index.ts';
import type { ReceiveUpload, ReleaseMethod, ReleaseService } from '../releases/index.ts';

type MessageType = Method['request'];

const tillerService = service('hapi.services.tiller.ReleaseService');

/** The same service, which logs the messages of every call (`--log-rpc`), with everything secret masked. */
export function withRpcLog(releases: ReleaseService, log: Logger): ReleaseService {
  const { methods, receiveUpload } = releases;
  const upload = methods.find(({ contract }) => contract.name === 'UploadChart')?.contract;
  return {
    ...releases,
    methods: methods.map(method => logged(method, log)),
    receiveUpload: upload ? loggedUpload(receiveUpload, rpcLog(upload, log)) : receiveUpload,
  };
}

/** Of an archive that goes to disk as it arrives, the request is shown without it. */
function loggedUpload(receiveUpload: ReceiveUpload, rpc: RpcLog): ReceiveUpload {
  return async (source, context) => {
    const received = await receiveUpload(source, context);
    return { ...received, keep: request => loggedCall(rpc, request, () => received.keep(request)) };
  };
}

async function loggedCall(
  rpc: RpcLog,
  request: Uint8Array,
  call: () => Promise<Uint8Array>,
): Promise<Uint8Array> {
  rpc.request(request);
  try {
    const reply = await call();
    rpc.reply(reply);
    return reply;
  } catch (error) {
    rpc.failed(error);
    throw error;
  }
}

/** Logs the messages of the calls of Tiller's own service that are passed through. */
export function createRpcTap(log: Logger): MessageTap {
  const methods = new Map(tillerService.methods.map(method => [method.path, rpcLog(method, log)]));
  return {
    request: (path, message) => methods.get(path)?.request(message),
    reply: (path, message) => methods.get(path)?.reply(message),
    failed: (path, error) => methods.get(path)?.failed(error),
  };
}

type RpcLog = ReturnType<typeof rpcLog>;

function rpcLog({ name, request, response }: Method, log: Logger) {
  const write = (what: 'request' | 'reply', type: MessageType, wire: Uint8Array) =>
    log.info(`rpc ${name} ${what}`, { rpc: name, [what]: shown(type, wire) });
  return {
    request: (wire: Uint8Array) => write('request', request, wire),
    reply: (wire: Uint8Array) => write('reply', response, wire),
    failed(thrown: unknown) {
      const { code, message } = GatewayError.from(thrown);
      log.info(`rpc ${name} failed`, { rpc: name, grpcCode: codeName(code), error: firstLines(message) });
    },
  };
}

function logged(method: ReleaseMethod, log: Logger): ReleaseMethod {
  const rpc = rpcLog(method.contract, log);
  if (method.kind === 'unary') {
    return {
      ...method,
      call: (backend, wire, context) => loggedCall(rpc, wire, () => method.call(backend, wire, context)),
    };
  }
  return {
    ...method,
    async *call(backend, wire, context) {
      rpc.request(wire);
      try {
        for await (const reply of method.call(backend, wire, context)) {
          rpc.reply(reply);
          yield reply;
        }
      } catch (error) {
        rpc.failed(error);
        throw error;
      }
    },
  };
}

/** A large message is named by its size alone: making JSON of it would keep everybody waiting, and a line is cut anyway. */
function shown(type: MessageType, wire: Uint8Array): unknown {
  if (wire.length > maxHereBytes) return `${wire.length} bytes`;
  try {
    return maskPayload(JSON.parse(wireToJson(type, wire).toString()));
  } catch {
    return `${wire.length} bytes that are no ${type.name}`;
  }
}
