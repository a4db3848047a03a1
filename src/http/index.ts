export {
  type Answered,
  type ErrorForm,
  Exchange,
  type FinishedRequest,
  hasContentType,
  type Parameters,
  type Route,
  sendsBody,
  type Verb,
} from './exchange.ts';
export { Guard } from './guard.ts';
export type { CorsOptions } from './headers.ts';
export { createPipeline, type PipelineOptions } from './pipeline.ts';
export { Router } from './router.ts';
export { selectCluster, toOriginForm, validateForwardPath } from './select-cluster.ts';
export {
  type Content,
  errorBody,
  leaveBody,
  StreamWriter,
  sendContent,
  sendError,
  sendJson,
} from './send.ts';
export { type Receive, type Received, readUploadForm, type UploadForm } from './upload-form.ts';
