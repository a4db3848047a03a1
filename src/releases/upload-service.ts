import { type KeptUpload, toSummary, type Upload, type Uploads, uploadsName } from '../charts/index.ts';
import { encodeMessage, type MessageTypes, type Partially } from '../codec/index.ts';
import type { CallContext } from '../protocol/index.ts';
import { type Answer, answer, decodeRequest } from './answer.ts';

/** The methods about charts that clients upload. */
export function uploadAnswers(uploads: Uploads): Record<string, Answer> {
  return {
    UploadChart: answer('UploadChart', async ({ archive, force, file_name: fileName }, { signal, hold }) =>
      toReply(await uploads.add(archive, { signal, hold, force, fileName })),
    ),
    ListUploads: answer('ListUploads', async (_request, { signal }) => {
      const all = await uploads.list(signal);
      return { count: all.length, uploads: all.map(toMessage) };
    }),
    DeleteUpload: answer('DeleteUpload', async ({ name, version }, { signal }) => ({
      upload: toMessage(await uploads.remove(name, version, signal)),
    })),
  };
}

/** An archive that has arrived, and what becomes of it. */
export interface ReceivedUpload {
  /** @param request of UploadChart, without the archive @returns the method's reply @throws GatewayError as the method */
  keep(request: Uint8Array): Promise<Uint8Array>;
  discard(): Promise<void>;
}

/** Takes the archive of UploadChart as it arrives, which no message in memory could. @throws GatewayError as the method */
export type ReceiveUpload = (
  source: AsyncIterable<Uint8Array>,
  context: CallContext,
) => Promise<ReceivedUpload>;

export function uploadReceiver(uploads: Uploads): ReceiveUpload {
  return async (source, { signal, hold }) => {
    const received = await uploads.receive(source, { signal, hold });
    return {
      discard: received.discard,
      async keep(request) {
        const { force, file_name: fileName } = decodeRequest('appscode.swift.v2.UploadChartRequest', request);
        const reply = toReply(await received.keep({ force, fileName }));
        return encodeMessage('appscode.swift.v2.UploadChartResponse', reply);
      },
    };
  };
}

function toReply({ upload, replaced }: KeptUpload) {
  return { upload: toMessage(upload), replaced };
}

function toMessage(upload: Upload): Partially<MessageTypes['appscode.swift.v2.Upload']> {
  const { fileName, bytes } = upload;
  return { chart: toSummary(uploadsName, upload), chart_url: upload.urls[0], file_name: fileName, bytes };
}
