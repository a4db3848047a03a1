import type { Chart, Config, Hook } from '../../codec/messages.gen.ts';

/** What a chart is rendered for. */
export interface RenderInput {
  readonly chart: Chart;
  readonly values: Config | null;
  readonly release: {
    readonly name: string;
    readonly namespace: string;
    readonly revision: number;
    readonly isInstall: boolean;
    readonly isUpgrade: boolean;
    readonly time: Date;
  };
  /** Whether the notes of subcharts are wanted too. */
  readonly subNotes: boolean;
}

export interface Rendered {
  readonly manifest: string;
  readonly notes: string;
  readonly hooks: Hook[];
}

/** @throws GatewayError with Tiller's text when the chart cannot be rendered */
export type RenderChart = (input: RenderInput) => Rendered | Promise<Rendered>;
