/** A chart as it comes in: what a `hapi.chart.Chart` message holds, as plain objects. Nothing here is changed. */
export interface Chart {
  /** null where the chart has none; Tiller's own callers refuse such a chart. */
  readonly metadata: Metadata | null;
  readonly templates: readonly TemplateFile[];
  readonly dependencies: readonly Chart[];
  /** The chart's values.yaml. */
  readonly values: Config | null;
  readonly files: readonly ChartFile[];
}

/** Values as YAML text. */
export interface Config {
  readonly raw: string;
}

export interface TemplateFile {
  /** Path inside the chart: `templates/service.yaml`. */
  readonly name: string;
  readonly data: Uint8Array;
}

/** A file that is neither template nor chart: `.Files`. */
export interface ChartFile {
  /** Path inside the chart; Helm stores it in the field `type_url` of an Any. */
  readonly type_url: string;
  readonly value: Uint8Array;
}

export interface Maintainer {
  readonly name: string;
  readonly email: string;
  readonly url: string;
}

/** Chart.yaml. */
export interface Metadata {
  readonly name: string;
  readonly home: string;
  readonly sources: readonly string[];
  readonly version: string;
  readonly description: string;
  readonly keywords: readonly string[];
  readonly maintainers: readonly Maintainer[];
  readonly engine: string;
  readonly icon: string;
  readonly apiVersion: string;
  readonly condition: string;
  readonly tags: string;
  readonly appVersion: string;
  readonly deprecated: boolean;
  readonly tillerVersion: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly kubeVersion: string;
}

export type HookEvent =
  | 'PRE_INSTALL'
  | 'POST_INSTALL'
  | 'PRE_DELETE'
  | 'POST_DELETE'
  | 'PRE_UPGRADE'
  | 'POST_UPGRADE'
  | 'PRE_ROLLBACK'
  | 'POST_ROLLBACK'
  | 'RELEASE_TEST_SUCCESS'
  | 'RELEASE_TEST_FAILURE'
  | 'CRD_INSTALL';

export type HookDeletePolicy = 'SUCCEEDED' | 'FAILED' | 'BEFORE_HOOK_CREATION';

/** A manifest with a hook annotation, by the field names of `hapi.release.Hook`. */
export interface Hook {
  name: string;
  kind: string;
  /** Path with the chart's name: `web/templates/job.yaml`. */
  path: string;
  manifest: string;
  events: HookEvent[];
  /** When it last ran; null, as nothing runs here. */
  last_run: null;
  weight: number;
  delete_policies: HookDeletePolicy[];
  /** Seconds. */
  delete_timeout: number;
}
