/** A YAML document as it is written: scalars still text, aliases still references. */
export type YamlNode = ScalarNode | SequenceNode | MappingNode | AliasNode;

export interface ScalarNode {
  readonly kind: 'scalar';
  readonly value: string;
  /** The full tag, such as `tag:yaml.org,2002:str`; '' where none is given. */
  readonly tag: string;
  /** Without quotes and not in a block, so that its type follows from its text. */
  readonly plain: boolean;
}

export interface SequenceNode {
  readonly kind: 'sequence';
  readonly items: YamlNode[];
}

export interface MappingNode {
  readonly kind: 'mapping';
  readonly entries: [key: YamlNode, value: YamlNode][];
}

export interface AliasNode {
  readonly kind: 'alias';
  readonly name: string;
  readonly target: YamlNode;
}
