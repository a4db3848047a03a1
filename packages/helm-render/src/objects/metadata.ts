import type { Maintainer, Metadata } from '../chart/chart.ts';
import { utf8ToBytes } from '../go/bytes.ts';
import { type GoStruct, TypedMap, typedList } from '../go/value.ts';
import { createMessage, type MessageField } from './message.ts';
import { protoText } from './proto-text.ts';

const upperFirst = (name: string) => name.charAt(0).toUpperCase() + name.slice(1);

function textField(wireName: string, value: string): MessageField {
  const bytes = utf8ToBytes(value);
  return { name: upperFirst(wireName), wireName, value: bytes, text: bytes };
}

function listField(wireName: string, values: readonly string[]): MessageField {
  const bytes = values.map(utf8ToBytes);
  return { name: upperFirst(wireName), wireName, value: typedList('string', bytes), text: bytes };
}

function maintainerFields({ name, email, url }: Maintainer): MessageField[] {
  return [textField('name', name), textField('email', email), textField('url', url)];
}

function maintainersField(maintainers: readonly Maintainer[]): MessageField {
  const fields = maintainers.map(maintainerFields);
  const messages = fields.map(own => protoText(own.map(({ wireName, text }) => [wireName, text] as const)));
  const structs = fields.map(own => createMessage('*chart.Maintainer', own));
  return {
    name: 'Maintainers',
    wireName: 'maintainers',
    value: typedList('*chart.Maintainer', structs),
    text: { messages },
  };
}

function annotationsField(annotations: Readonly<Record<string, string>>): MessageField {
  const entries = Object.entries(annotations).map(
    ([key, value]) => [utf8ToBytes(key), utf8ToBytes(value)] as const,
  );
  return {
    name: 'Annotations',
    wireName: 'annotations',
    value: new TypedMap('map[string]string', 'string', entries),
    text: new Map(entries),
  };
}

/** `.Chart`: the chart's metadata, as Go's hapi.chart.Metadata shows it to templates. */
export function createChartObject(metadata: Metadata): GoStruct {
  const { deprecated } = metadata;
  return createMessage('*chart.Metadata', [
    textField('name', metadata.name),
    textField('home', metadata.home),
    listField('sources', metadata.sources),
    textField('version', metadata.version),
    textField('description', metadata.description),
    listField('keywords', metadata.keywords),
    maintainersField(metadata.maintainers),
    textField('engine', metadata.engine),
    textField('icon', metadata.icon),
    textField('apiVersion', metadata.apiVersion),
    textField('condition', metadata.condition),
    textField('tags', metadata.tags),
    textField('appVersion', metadata.appVersion),
    { name: 'Deprecated', wireName: 'deprecated', value: deprecated, text: deprecated },
    textField('tillerVersion', metadata.tillerVersion),
    annotationsField(metadata.annotations),
    textField('kubeVersion', metadata.kubeVersion),
  ]);
}
