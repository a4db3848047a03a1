import {
  type Charts,
  type KeptUpload,
  type RepositorySummary,
  toSummary,
  type Upload,
  type Uploads,
  uploadsName,
  type Validation,
} from '../charts/index.ts';
import {
  encodeMessage,
  type MessageTypes,
  type Partially,
  type SwiftAddRepositoryRequest,
  type SwiftChartRepository,
} from '../codec/index.ts';
import type { CallContext } from '../protocol/index.ts';
import { decodeRequest } from './request-fields.ts';
import type { UnaryCall } from './tiller-request.ts';

type Named<Suffix extends string> = {
  [Name in keyof MessageTypes]: Name extends `appscode.swift.v2.${infer Method}${Suffix}` ? Method : never;
}[keyof MessageTypes];
type MethodName = Named<'Request'> & Named<'Response'>;

/**
 * The methods about charts by name. Tiller knows nothing of repositories: none of these reaches it, nor needs one that
 * can be reached. What they say of repositories holds no credentials: the registry gives none out.
 */
export function chartCalls({ catalogue, repositories, uploads }: Charts): Record<string, UnaryCall<unknown>> {
  return {
    SearchCharts: answer('SearchCharts', (query, { signal }) => catalogue.search(query, signal)),
    ListChartVersions: answer('ListChartVersions', (wanted, { signal }) =>
      catalogue.versions(wanted, signal),
    ),
    GetChart: (_backend, wire, { signal, hold }) =>
      catalogue.chart(decodeRequest('appscode.swift.v2.GetChartRequest', wire), signal, hold),
    GetChartIcon: answer('GetChartIcon', (wanted, { signal, hold }) => catalogue.icon(wanted, signal, hold)),
    ListRepositories: answer('ListRepositories', async () => ({
      repositories: (await repositories.list()).map(toRepository),
    })),
    AddRepository: answer('AddRepository', async (given, { signal }) => ({
      repository: toRepository(await repositories.add(fromRequest(given), signal)),
    })),
    RemoveRepository: answer('RemoveRepository', async ({ name }) => {
      await repositories.remove(name);
      return {};
    }),
    RefreshRepository: answer('RefreshRepository', async ({ name }, { signal }) => ({
      repository: toRepository(await repositories.refresh(name, signal)),
    })),
    RefreshRepositories: answer('RefreshRepositories', async (_all, { signal }) => ({
      repositories: (await repositories.refreshAll(signal)).map(toRepository),
    })),
    ValidateRepository: answer('ValidateRepository', async ({ name }, { signal }) =>
      toReport(await repositories.validate(name, signal)),
    ),
    UploadChart: answer('UploadChart', async ({ archive, force, file_name: fileName }, { signal, hold }) =>
      toUploadReply(await uploads.add(archive, { signal, hold, force, fileName })),
    ),
    ListUploads: answer('ListUploads', async (_request, { signal }) => {
      const all = await uploads.list(signal);
      return { count: all.length, uploads: all.map(toUpload) };
    }),
    DeleteUpload: answer('DeleteUpload', async ({ name, version }, { signal }) => ({
      upload: toUpload(await uploads.remove(name, version, signal)),
    })),
  };
}

/** Reads the request of a method and writes its reply. @throws GatewayError INVALID_ARGUMENT when the request is malformed */
function answer<Name extends MethodName>(
  method: Name,
  call: (
    request: MessageTypes[`appscode.swift.v2.${Name}Request`],
    context: CallContext,
  ) => Promise<Partially<MessageTypes[`appscode.swift.v2.${Name}Response`]>>,
): UnaryCall<unknown> {
  return async (_backend, wire, context) => {
    const reply = await call(decodeRequest(`appscode.swift.v2.${method}Request`, wire), context);
    return encodeMessage(`appscode.swift.v2.${method}Response`, reply);
  };
}

function fromRequest({ name, url, validate, ...given }: SwiftAddRepositoryRequest) {
  const { username, password, token, ca_bundle, client_certificate, client_key, insecure_skip_verify } =
    given;
  const credentials = {
    ...{ username, password, token, caBundle: ca_bundle, clientCertificate: client_certificate },
    ...{ clientKey: client_key, insecureSkipVerify: insecure_skip_verify },
  };
  return { name, url, validate, credentials };
}

const sources = { flag: 'FLAG', file: 'FILE', memory: 'MEMORY' } as const;

function toRepository({ origin, refreshed, ...summary }: RepositorySummary): Partial<SwiftChartRepository> {
  const at = refreshed?.getTime() ?? 0;
  const time = { seconds: Math.floor(at / 1000), nanos: (at % 1000) * 1_000_000 };
  return { ...summary, source: sources[origin], ...(refreshed && { refreshed: time }) };
}

function toReport({ leftOut, leftOutEntries, archive, ...report }: Validation) {
  return { ...report, left_out: leftOut, left_out_entries: leftOutEntries, ...(archive && { archive }) };
}

function toUploadReply({ upload, replaced }: KeptUpload) {
  return { upload: toUpload(upload), replaced };
}

function toUpload(upload: Upload): Partially<MessageTypes['appscode.swift.v2.Upload']> {
  const { fileName, bytes } = upload;
  return { chart: toSummary(uploadsName, upload), chart_url: upload.urls[0], file_name: fileName, bytes };
}

/** Takes the archive of UploadChart as it arrives, which no message in memory could. @throws GatewayError as the method */
export type ReceiveUpload = (
  source: AsyncIterable<Uint8Array>,
  context: CallContext,
) => Promise<{
  /** @param request of UploadChart, without the archive @returns the method's reply @throws GatewayError as the method */
  keep(request: Uint8Array): Promise<Uint8Array>;
  discard(): Promise<void>;
}>;

export function uploadReceiver(uploads: Uploads): ReceiveUpload {
  return async (source, { signal, hold }) => {
    const received = await uploads.receive(source, { signal, hold });
    return {
      discard: received.discard,
      async keep(request) {
        const { force, file_name: fileName } = decodeRequest('appscode.swift.v2.UploadChartRequest', request);
        const reply = toUploadReply(await received.keep({ force, fileName }));
        return encodeMessage('appscode.swift.v2.UploadChartResponse', reply);
      },
    };
  };
}
