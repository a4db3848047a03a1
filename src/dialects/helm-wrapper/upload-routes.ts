import { encodeMessage } from '../../codec/index.ts';
import { hasContentType, type Route, readUploadForm } from '../../http/index.ts';
import { Code, GatewayError, headerOf } from '../../protocol/index.ts';
import { type Call, type HelmWrapperOptions, routeMaker } from './call.ts';
import type { Data } from './envelope.ts';
import { refuse } from './helm-errors.ts';

/** The routes about charts that clients upload, which go by the names of their files. */
export function createUploadRoutes(options: HelmWrapperOptions): Route[] {
  const route = routeMaker(options);
  return [
    route(
      'POST',
      '/api/charts/upload',
      {
        summary: 'Uploads a packed chart; one of the same name and version is replaced.',
        upload: 'chart',
      },
      uploadChart,
    ),
    route(
      'GET',
      '/api/charts/upload',
      { summary: 'Lists the uploads by the names of their files.', data: ['web-1.4.2.tgz'] },
      listUploads,
    ),
    route(
      'DELETE',
      '/api/charts/upload/{chart}',
      { summary: 'Deletes an upload; one that is not there is no error.' },
      deleteUpload,
    ),
  ];
}

async function uploadChart(call: Call): Promise<Data> {
  const { exchange, context } = call;
  if (!hasContentType(exchange.request, 'multipart/form-data'))
    refuse("request Content-Type isn't multipart/form-data");
  if ((headerOf(exchange.request, 'content-encoding') ?? 'identity') !== 'identity')
    refuse('Content-Encoding is not supported for requests');
  const form = await readUploadForm(exchange, call.receiveUpload, call.maxBodyBytes, context);
  const { received, fileName } = form;
  try {
    if (!fileName.endsWith('.tgz')) refuse('chart file suffix must .tgz');
    const request = { force: true, file_name: fileName };
    await received.keep(encodeMessage('appscode.swift.v2.UploadChartRequest', request));
  } finally {
    await received.discard();
  }
  return undefined;
}

async function listUploads(call: Call): Promise<Data> {
  const { uploads } = call.charts;
  const list = uploads.isEnabled ? await uploads.list(call.context.signal) : [];
  return JSON.stringify(list.map(({ fileName }) => fileName).sort());
}

async function deleteUpload(call: Call): Promise<Data> {
  const { uploads } = call.charts;
  const { signal } = call.context;
  const list = uploads.isEnabled ? await uploads.list(signal) : [];
  const upload = list.find(({ fileName }) => fileName === call.field('chart'));
  if (!upload) return undefined;
  await uploads.remove(upload.name, upload.version, signal).catch(error => {
    const isGone = error instanceof GatewayError && error.code === Code.NOT_FOUND;
    if (!isGone) throw error;
  });
  return undefined;
}
