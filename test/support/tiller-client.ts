/** A plain gRPC client of Tiller for tests: bytes in, bytes out, nothing retried. */
import * as grpc from '@grpc/grpc-js';

export interface TillerClient extends Disposable {
  readonly client: grpc.Client;
}

export interface TillerAnswer {
  responses: Buffer[];
  status: number;
  /** Empty for OK. */
  message: string;
  trailers: grpc.Metadata;
}

export interface CallOptions {
  signal?: AbortSignal;
  metadata?: Record<string, string>;
  deadline?: Date;
  waitForReady?: boolean;
  onMessage?: (message: Buffer) => void;
}

/** `address` as grpc-js reads it: `127.0.0.1:port`, `unix:/path`. */
export function openTiller(
  address: string,
  credentials = grpc.credentials.createInsecure(),
  options: grpc.ClientOptions = {},
): TillerClient {
  const client = new grpc.Client(address, credentials, {
    'grpc.max_receive_message_length': -1,
    'grpc.max_send_message_length': -1,
    'grpc.enable_retries': 0,
    'grpc.use_local_subchannel_pool': 1,
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 500,
    ...options,
  });
  return { client, [Symbol.dispose]: () => client.close() };
}

/** Calls a method of Tiller's (its name or its whole path). Never rejects: a failure is a status. */
export function callTiller(
  { client }: TillerClient,
  method: string,
  request: Uint8Array,
  options: CallOptions = {},
): Promise<TillerAnswer> {
  const path = method.startsWith('/') ? method : `/hapi.services.tiller.ReleaseService/${method}`;
  const metadata = new grpc.Metadata({ waitForReady: options.waitForReady ?? false });
  for (const [key, value] of Object.entries(options.metadata ?? {}))
    metadata.set(key, key.endsWith('-bin') ? Buffer.from(value, 'base64') : value);
  const same = (bytes: Buffer): Buffer => bytes;
  const callOptions: grpc.CallOptions = options.deadline ? { deadline: options.deadline } : {};
  const bytes = Buffer.from(request.buffer, request.byteOffset, request.byteLength);
  // A unary call is a stream of one message on the wire, so one function serves both.
  const stream = client.makeServerStreamRequest(path, same, same, bytes, metadata, callOptions);
  const responses: Buffer[] = [];
  const cancel = (): void => stream.cancel();
  options.signal?.addEventListener('abort', cancel);
  return new Promise(resolve => {
    stream.on('data', (response: Buffer) => {
      responses.push(response);
      options.onMessage?.(response);
    });
    stream.on('error', () => {}); // told again as the status
    stream.on('status', ({ code, details, metadata: trailers }: grpc.StatusObject) => {
      options.signal?.removeEventListener('abort', cancel);
      resolve({ responses, status: code, message: code === 0 ? '' : details, trailers });
    });
  });
}
