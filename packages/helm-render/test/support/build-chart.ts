import type { Chart, Metadata } from '../../src/chart/chart.ts';
import { HelmRenderError } from '../../src/chart/helm-render-error.ts';
import { type RenderInput, type RenderOutput, renderRelease } from '../../src/render.ts';

export interface ChartParts {
  readonly name?: string;
  readonly metadata?: Partial<Metadata>;
  /** Texts by name below `templates/`. */
  readonly templates?: Readonly<Record<string, string>>;
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  /** values.yaml */
  readonly values?: string;
  readonly dependencies?: readonly Chart[];
}

/** A chart from its parts. For tests. */
export function buildChart(parts: ChartParts): Chart {
  return {
    metadata: {
      name: parts.name ?? 'demo',
      home: '',
      sources: [],
      version: '1.0.0',
      description: '',
      keywords: [],
      maintainers: [],
      engine: '',
      icon: '',
      apiVersion: 'v1',
      condition: '',
      tags: '',
      appVersion: '',
      deprecated: false,
      tillerVersion: '',
      annotations: {},
      kubeVersion: '',
      ...parts.metadata,
    },
    templates: Object.entries(parts.templates ?? {}).map(([name, text]) => ({
      name: `templates/${name}`,
      data: Buffer.from(text),
    })),
    files: Object.entries(parts.files ?? {}).map(([type_url, content]) => ({
      type_url,
      value: Buffer.from(content as string),
    })),
    values: { raw: parts.values ?? '' },
    dependencies: [...(parts.dependencies ?? [])],
  };
}

/** Renders as release `rel` in namespace `ns`. */
export function renderChart(
  chart: Chart,
  values = '{}',
  more: Partial<Omit<RenderInput, 'chart' | 'values'>> = {},
): RenderOutput {
  return renderRelease({
    chart,
    values: { raw: values },
    release: {
      name: 'rel',
      namespace: 'ns',
      revision: 1,
      isInstall: true,
      isUpgrade: false,
      time: new Date('2026-11-20T10:00:00.250Z'),
    },
    subNotes: false,
    ...more,
  });
}

/** The notes of a chart with one NOTES.txt, or the error's text after `! `. */
export function renderNotes(notes: string, parts: ChartParts = {}, values = '{}'): string {
  try {
    const templates = { ...parts.templates, 'NOTES.txt': notes };
    return renderChart(buildChart({ ...parts, templates }), values).notes;
  } catch (error) {
    if (error instanceof HelmRenderError) return `! ${error.message}`;
    throw error;
  }
}
