/** YAML and JSON as Helm 2's and kubectl's Go libraries (ghodss/yaml, yaml.v2, encoding/json) read and write them. */
export { formatFloatG, shortestFloat32 } from './go-float.ts';
export { compareUtf8, goJson, type YamlMap, type YamlValue } from './go-json.ts';
export type { MappingNode, ScalarNode, YamlNode } from './parse-tree.ts';
export { parseYaml, readYamlTree, type YamlBounds, type YamlTree, yamlToJson } from './read-yaml.ts';
export { scalarValue } from './resolve-scalar.ts';
export { writeYaml } from './write-yaml.ts';
