/** From wherever a chart is to what the Helm client would have sent. */
export type { ChartOptions } from './chart/chart-options.ts';
export { type ChartRequest, Charts, type ResolvedChart } from './charts.ts';
export { type RepositorySummary, uploadsName } from './repository/repository.ts';
export { toSummary } from './repository/search-charts.ts';
export type { Validation } from './repository/validate-repository.ts';
export { computeValues } from './requirements/prepare-chart.ts';
export type { PreviousRelease } from './schema/schema-checks.ts';
export { type KeptUpload, type Upload, Uploads } from './uploads/uploads.ts';
export { type TextValues, wrongPart } from './values/merge-values.ts';
