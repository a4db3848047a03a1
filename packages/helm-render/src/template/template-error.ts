/** A template that cannot be parsed. `message` is Go's text (a byte string), with file and line. */
export class TemplateSyntaxError extends Error {
  override readonly name = 'TemplateSyntaxError';
}

/** A template that failed while it ran. `message` is Go's text (a byte string), with file, line and column. */
export class TemplateExecError extends Error {
  override readonly name = 'TemplateExecError';
}
