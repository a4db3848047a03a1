/** A template or its values are at fault. `message` is Tiller's text, a byte string. */
export class RenderError extends Error {
  override readonly name = 'RenderError';
}
