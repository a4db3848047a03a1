import { type KubeObject, objectOf } from '../objects/kube-object.ts';
import { joinApiVersion, type ServedResource } from '../objects/resources.ts';
import type { Page } from './list-query.ts';
import { toTable } from './table.ts';

/** In which form a client takes objects. */
export type Form =
  | { readonly as: 'object' }
  | { readonly as: 'metadata' | 'table'; readonly apiVersion: string; readonly include: Include };

/** What a table's rows carry of their objects. */
type Include = 'Metadata' | 'Object' | 'None';

/**
 * The form that `Accept` asks for first, of those that there are.
 * Source: https://kubernetes.io/docs/reference/using-api/api-concepts/#receiving-resources-as-tables
 */
export function readForm(accept: string | undefined, query: URLSearchParams): Form {
  for (const range of (accept ?? '').split(',')) {
    const [type = '', ...parameters] = range.split(';').map(part => part.trim());
    if (!/^(application\/(json|\*)|\*\/\*)$/.test(type)) continue;
    const { as, g, v } = Object.fromEntries(parameters.map(part => part.split('=')));
    if (as === undefined) return { as: 'object' };
    if (g !== 'meta.k8s.io' || (v !== 'v1' && v !== 'v1beta1')) continue;
    const given = query.get('includeObject');
    const include = given === 'Object' || given === 'None' ? given : 'Metadata';
    const apiVersion = `meta.k8s.io/${v}`;
    if (as === 'Table') return { as: 'table', apiVersion, include };
    if (/^PartialObjectMetadata(List)?$/.test(as)) return { as: 'metadata', apiVersion, include };
  }
  return { as: 'object' };
}

/** One object as a client takes it. @param isFirst whether a table's columns are to be described */
export function oneObject(form: Form, served: ServedResource, object: KubeObject, isFirst = true): object {
  if (form.as === 'object') return withKindFirst(served, object);
  if (form.as === 'metadata') return metadataOf(form.apiVersion, object);
  return toTable(served.kind, [object], {
    apiVersion: form.apiVersion,
    metadata: { resourceVersion: object.metadata.resourceVersion },
    hasColumns: isFirst,
    rowObject: rowObjects(form.apiVersion, form.include, served),
  });
}

/** A list but for its items, and each item: so that a long one need not be one text. */
export interface ListParts {
  readonly head: { readonly kind: string; readonly apiVersion: string; readonly metadata: object };
  /** Empty, or the members of a table. */
  readonly more: object;
  readonly itemsName: 'items' | 'rows';
  readonly items: readonly KubeObject[];
  toItem(object: KubeObject): object;
}

export function listParts(form: Form, served: ServedResource, page: Page): ListParts {
  const metadata = {
    resourceVersion: String(page.version),
    ...(page.continueToken === undefined ? {} : { continue: page.continueToken }),
  };
  const { items, remainingItemCount } = page;
  if (form.as === 'table') {
    const { apiVersion, include } = form;
    const rowObject = rowObjects(apiVersion, include, served);
    const { columnDefinitions } = toTable(served.kind, [], {
      apiVersion,
      metadata,
      hasColumns: true,
      rowObject,
    });
    const toRow = (object: KubeObject) =>
      toTable(served.kind, [object], { apiVersion, metadata, hasColumns: false, rowObject }).rows[0]!;
    const head = { kind: 'Table', apiVersion, metadata };
    return { head, more: { columnDefinitions }, itemsName: 'rows', items, toItem: toRow };
  }
  if (form.as === 'metadata') {
    const head = { kind: 'PartialObjectMetadataList', apiVersion: form.apiVersion, metadata };
    return { head, more: {}, itemsName: 'items', items, toItem: each => metadataOf(form.apiVersion, each) };
  }
  const apiVersion = joinApiVersion(served.group, served.version);
  const counted = remainingItemCount === undefined ? metadata : { ...metadata, remainingItemCount };
  const toItem = (object: KubeObject) => {
    if (served.resource.isCustom) return withKindFirst(served, object);
    const { kind: _kind, apiVersion: _apiVersion, ...rest } = object; // as Go's typed lists have it
    return rest;
  };
  return {
    head: { kind: `${served.kind}List`, apiVersion, metadata: counted },
    more: {},
    itemsName: 'items',
    items,
    toItem,
  };
}

/** What a watch's bookmark carries: a version and nothing more. */
export function bookmark(form: Form, served: ServedResource, version: number): object {
  const metadata = { resourceVersion: String(version), creationTimestamp: null };
  if (form.as === 'object') {
    return { kind: served.kind, apiVersion: joinApiVersion(served.group, served.version), metadata };
  }
  const { apiVersion } = form;
  if (form.as === 'metadata') return { kind: 'PartialObjectMetadata', apiVersion, metadata };
  return { kind: 'Table', apiVersion, metadata, columnDefinitions: null, rows: [] };
}

function withKindFirst(served: ServedResource, object: KubeObject): object {
  const { kind: _kind, apiVersion: _apiVersion, ...rest } = object;
  return { kind: served.kind, apiVersion: joinApiVersion(served.group, served.version), ...rest };
}

function rowObjects(apiVersion: string, include: Include, served: ServedResource) {
  return (object: KubeObject): object | null => {
    if (include === 'None') return null;
    return include === 'Object' ? withKindFirst(served, object) : metadataOf(apiVersion, object);
  };
}

function metadataOf(apiVersion: string, object: KubeObject): object {
  return { kind: 'PartialObjectMetadata', apiVersion, metadata: objectOf(object.metadata) };
}
