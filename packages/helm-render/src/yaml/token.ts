/** The tokens of YAML 1.1 as libyaml divides a text into them. */
export type TokenKind =
  | 'stream-end'
  | 'version-directive'
  | 'tag-directive'
  | 'document-start'
  | 'document-end'
  | 'block-sequence-start'
  | 'block-mapping-start'
  | 'block-end'
  | 'flow-sequence-start'
  | 'flow-sequence-end'
  | 'flow-mapping-start'
  | 'flow-mapping-end'
  | 'block-entry'
  | 'flow-entry'
  | 'key'
  | 'value'
  | 'alias'
  | 'anchor'
  | 'tag'
  | 'scalar';

export interface Token {
  readonly kind: TokenKind;
  /** The line it starts on, from 0. */
  readonly line: number;
  /** A scalar's text, an anchor's or alias's name, a tag's suffix, a %TAG's prefix, a %YAML's version. */
  readonly value: string;
  /** The handle of a tag or %TAG directive. */
  readonly handle?: string;
  /** A scalar without quotes and not in a block. */
  readonly plain?: boolean;
}
