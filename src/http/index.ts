export {
  type Answered,
  type ErrorForm,
  Exchange,
  type FinishedRequest,
  hasContentType,
  type Parameters,
  type Route,
  sendsBody,
  splitTarget,
  type Verb,
} from './exchange.ts';
export { Guard } from './guard.ts';
export type { CorsOptions } from './headers.ts';
export { createPipeline, type PipelineOptions } from './pipeline.ts';
export { Router } from './router.ts';
export { selectCluster, toForwardTarget, toOriginForm } from './select-cluster.ts';
export { type Content, errorBody, leaveBody, StreamWriter, sendContent, sendJson } from './send.ts';
export { readUploadForm } from './upload-form.ts';
