/** A chart, its values or a YAML text are at fault, or a limit was reached. `message` is Tiller's own text where it has one. */
export class HelmRenderError extends Error {
  override readonly name = 'HelmRenderError';
}
