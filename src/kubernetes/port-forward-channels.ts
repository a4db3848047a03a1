/** The subprotocol: first byte of each message = channel, binary. Source: facts of kubelet's `wsstream` package. */
export const portForwardProtocol = 'v4.channel.k8s.io';

/** With one port: its bytes, and texts about what went wrong with it. */
const dataChannel = 0;
const errorChannel = 1;

export interface ChannelEvents {
  /** Both channels have named the port: the API server's side is set up. */
  ready(): void;
  data(chunk: Buffer): void;
  /** A text from the error channel, or a port header that is not ours. */
  failed(reason: string): void;
}

/**
 * Reads the messages of a port-forward of one port. Each channel begins with the port as two little-endian bytes,
 * which may come split over messages or together with what follows. Empty messages and other channels are ignored.
 */
export function createChannelReader(port: number, events: ChannelEvents): (message: Buffer) => void {
  const headers = [createPortHeader(), createPortHeader()];
  return message => {
    const channel = message[0];
    const header = channel === undefined ? undefined : headers[channel];
    if (!header) return;
    let rest = message.subarray(1);
    if (!header.complete) {
      rest = header.read(rest);
      if (!header.complete) return;
      if (header.port !== port)
        return events.failed(`the API server forwards port ${header.port} instead of ${port}`);
      if (headers.every(({ complete }) => complete)) events.ready();
    }
    if (rest.length === 0) return;
    if (channel === dataChannel) events.data(rest);
    if (channel === errorChannel) events.failed(rest.toString('utf8').trim());
  };
}

/** Takes two bytes off the front of a channel. */
function createPortHeader() {
  let bytesRead = 0;
  let port = 0;
  return {
    get complete() {
      return bytesRead === 2;
    },
    get port() {
      return port;
    },
    /** @returns what follows the header in this message */
    read(bytes: Buffer): Buffer {
      let used = 0;
      for (; bytesRead < 2 && used < bytes.length; used++, bytesRead++)
        port |= bytes[used]! << (8 * bytesRead);
      return bytes.subarray(used);
    },
  };
}

/** One message of the data channel with all of the chunks in it. */
export function toDataMessage(chunks: readonly Uint8Array[], totalBytes: number): Buffer {
  const message = Buffer.allocUnsafe(totalBytes + 1);
  message[0] = dataChannel;
  let offset = 1;
  for (const chunk of chunks) {
    message.set(chunk, offset);
    offset += chunk.length;
  }
  return message;
}
