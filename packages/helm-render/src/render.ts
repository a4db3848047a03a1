import { isUtf8 } from 'node:buffer';
import { posix } from 'node:path';
import type { Chart, Config, Hook } from './chart/chart.ts';
import { HelmRenderError } from './chart/helm-render-error.ts';
import { listChartTemplates } from './chart-templates.ts';
import { coalesceToGo } from './coalesce.ts';
import { Engine } from './engine.ts';
import { TemplateFailure } from './engine-functions.ts';
import { functionLibrary } from './functions/index.ts';
import { goToJsonValue } from './functions/json-value.ts';
import { bytesToBuffer, bytesToUtf8, utf8ToBytes } from './go/bytes.ts';
import { defaultRenderLimits, RenderBudget, RenderLimitError, type RenderLimits } from './go/limits.ts';
import type { GoMap } from './go/value.ts';
import { ManifestError } from './manifest/head.ts';
import { joinFiles, sortManifests } from './manifest/sort-manifests.ts';
import { documentsForUninstall, type ManifestDocument } from './manifest/uninstall.ts';
import { createCapabilitiesObject } from './objects/capabilities.ts';
import { createFilesObject } from './objects/files.ts';
import { createChartObject } from './objects/metadata.ts';
import { createReleaseObject, type ReleaseOptions } from './objects/release.ts';
import { createValues } from './objects/values.ts';
import { checkVersions } from './version-check.ts';
import type { YamlMap } from './yaml/index.ts';

export interface RenderInput {
  readonly chart: Chart;
  /** The values given with the request; null (not the same as empty) leaves out the chart's own too, as in Tiller. */
  readonly values: Config | null;
  readonly release: ReleaseOptions;
  /** Whether subcharts' NOTES.txt count. */
  readonly subNotes: boolean;
  /** Whether this is the dry run of an install, whose YAML errors show the rendered files. Default: false. */
  readonly dryRun?: boolean;
  /** Default: defaultRenderLimits. */
  readonly limits?: RenderLimits;
}

export interface RenderOutput {
  readonly manifest: string;
  readonly notes: string;
  /** Whether the notes are UTF-8; where they are not, U+FFFD stands in them, and Tiller cannot send or store the release. */
  readonly notesAreUtf8: boolean;
  readonly hooks: Hook[];
}

/** A file of this name holds notes for the user, not resources. */
const notesSuffix = 'NOTES.txt';

function topData(input: RenderInput): GoMap {
  const { chart, release } = input;
  const values = createValues(coalesceToGo(chart, input.values));
  return createValues([
    ['Release', createReleaseObject(release)],
    ['Chart', chart.metadata ? createChartObject(chart.metadata) : null],
    ['Files', createFilesObject(chart.files)],
    ['Capabilities', createCapabilitiesObject()],
    ['Values', values],
  ]);
}

/** Takes the notes out of the rendered files: the chart's own, with `subNotes` those of subcharts before them. */
function takeNotes(files: Map<string, string>, input: RenderInput): string {
  const own = posix.join(utf8ToBytes(input.chart.metadata?.name ?? ''), 'templates', notesSuffix);
  let notes = '';
  for (const [path, text] of files) {
    if (!path.endsWith(notesSuffix)) continue;
    if (input.subNotes || path === own) notes += notes === '' ? text : `\n${text}`;
    files.delete(path);
  }
  return notes;
}

function render(input: RenderInput): RenderOutput {
  checkVersions(input.chart.metadata, functionLibrary);
  const budget = new RenderBudget(input.limits ?? defaultRenderLimits);
  const templates = listChartTemplates(input.chart, topData(input));
  const files = new Engine(templates, functionLibrary, budget, input.release.time).render();
  const notes = takeNotes(files, input);
  try {
    const { manifest, hooks } = sortManifests(files, amount => budget.charge(amount));
    const notesAreUtf8 = isUtf8(bytesToBuffer(notes));
    return { manifest: bytesToUtf8(manifest), notes: bytesToUtf8(notes), notesAreUtf8, hooks };
  } catch (error) {
    if (!(error instanceof ManifestError)) throw error;
    const shown = input.dryRun ? `\n${bytesToUtf8(joinFiles(files))}` : '';
    throw new HelmRenderError(error.message + shown, { cause: error });
  }
}

/**
 * Renders a chart as Tiller 2.17.0 does: manifest, notes and hooks. Synchronous, because templates run one after
 * another in this thread anyway and the limits bound how long that takes.
 * @throws HelmRenderError with Tiller's text: values that cannot be read, a template or manifest at fault, a limit
 */
export function renderRelease(input: RenderInput): RenderOutput {
  try {
    return render(input);
  } catch (error) {
    throw toPublicError(error);
  }
}

/**
 * The documents of a release's manifest in the order in which Tiller deletes them, each by itself.
 * @throws HelmRenderError with Tiller's text for a document that is not YAML, or not an object
 */
export function readForUninstall(manifest: string): ManifestDocument[] {
  try {
    return documentsForUninstall(manifest);
  } catch (error) {
    throw toPublicError(error);
  }
}

/**
 * The values that a chart is rendered with: those given over the chart's own, and under each subchart's name that
 * subchart's, with the globals.
 * @throws HelmRenderError with Tiller's text
 */
export function coalesceValues(chart: Chart, values: Config): YamlMap {
  const budget = new RenderBudget(defaultRenderLimits);
  try {
    return goToJsonValue(coalesceToGo(chart, values), amount => budget.charge(amount)) as YamlMap;
  } catch (error) {
    throw toPublicError(error);
  }
}

function toPublicError(error: unknown): unknown {
  if (error instanceof TemplateFailure) {
    return new HelmRenderError(bytesToUtf8(error.message), { cause: error });
  }
  if (error instanceof ManifestError) return new HelmRenderError(error.message, { cause: error });
  // Where Go would die of a full stack or go on for ever, the sandbox stops.
  const isRange = error instanceof RangeError;
  if (isRange || error instanceof RenderLimitError) {
    const reason = isRange ? rangeReason(error) : error.message;
    return new HelmRenderError(`rendering template failed: ${reason}`, { cause: error });
  }
  return error;
}

/** What JavaScript's RangeError stands for here. */
function rangeReason(error: RangeError): string {
  return /call stack/.test(error.message) ? 'templates are nested too deep' : 'a text or list is too large';
}
