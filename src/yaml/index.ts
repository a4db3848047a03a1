/** YAML and JSON as Helm 2's and kubectl's Go libraries (ghodss/yaml, yaml.v2, encoding/json) read and write them. */

export {
  compareUtf8,
  formatFloatG,
  goJson,
  shortestFloat32,
  type YamlMap,
  type YamlValue,
} from './go-json.ts';
export {
  parseYaml,
  readYamlTree,
  scalarOf,
  type YamlBounds,
  type YamlTree,
  yamlToJson,
} from './read-yaml.ts';
export { writeYaml } from './write-yaml.ts';
