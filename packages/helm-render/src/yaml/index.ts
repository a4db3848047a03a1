/** YAML and JSON as Helm 2's Go libraries (ghodss/yaml, yaml.v2, encoding/json) read and write them. */
export { HelmRenderError } from '../chart/helm-render-error.ts';
export type { YamlBounds } from './bounds.ts';
export { formatFloatE, formatFloatF, formatFloatG } from './go-float.ts';
export { goJson } from './go-json.ts';
export type { YamlMap, YamlValue } from './node.ts';
export { compareUtf8 } from './order.ts';
export { parseYaml } from './read-yaml.ts';
export { utf8Fault } from './utf8-fault.ts';
export { writeYaml } from './write-yaml.ts';
