import { Code, GatewayError } from '../../protocol/index.ts';
import type { RenderChart } from './render-chart.ts';

/** Stands in for the renderer: charts without actions and hooks pass as they are, others are refused. */
export const renderPlain: RenderChart = ({ chart }) => {
  const name = chart.metadata?.name ?? '';
  if (chart.dependencies.length > 0) throw unimplemented(`${name}/charts`);
  const texts = chart.templates.map(({ name: file, data }) => ({
    path: `${name}/${file}`,
    text: Buffer.from(data).toString(),
  }));
  const refused = texts.find(({ text }) => text.includes('{{') || text.includes('helm.sh/hook'));
  if (refused) throw unimplemented(refused.path);
  const isNotes = (path: string): boolean => path === `${name}/templates/NOTES.txt`;
  return {
    manifest: texts
      .filter(({ path }) => !isNotes(path))
      .map(({ path, text }) => `\n---\n# Source: ${path}\n${text}`)
      .join(''),
    notes: texts.find(({ path }) => isNotes(path))?.text ?? '',
    hooks: [],
  };
};

function unimplemented(path: string): GatewayError {
  return new GatewayError(Code.UNIMPLEMENTED, `the sandbox cannot render ${path} yet`);
}
