import type { IncomingMessage, ServerResponse } from 'node:http';
import { type ClusterObjects, tableOf, type WriteOptions } from '../objects/cluster-objects.ts';
import { badRequest, KubeFailure, unknownResource } from '../objects/failure.ts';
import { type Json, type KubeObject, objectOf, textOf } from '../objects/kube-object.ts';
import type { ServedResource } from '../objects/resources.ts';
import type { ApiAnswer, Route } from './api-call.ts';
import { type ListQuery, readListQuery, readPage } from './list-query.ts';
import { applyPatch } from './patch.ts';
import { parseObject, readBody } from './read-object.ts';
import { type Form, listParts, oneObject, readForm } from './representation.ts';
import { answerReview, reviewKind } from './reviews.ts';
import { sendList } from './send-list.ts';
import type { Watches } from './watch.ts';

export interface ObjectApiOptions {
  readonly objects: ClusterObjects;
  readonly watches: Watches;
  /** The token that is valid at the moment. */
  readonly token: () => string;
}

/** A request for objects, understood. */
interface ObjectRequest extends ObjectApiOptions {
  readonly served: ServedResource;
  readonly route: Route;
  /** Undefined: all namespaces, or a kind that has none. */
  readonly namespace: string | undefined;
  readonly query: URLSearchParams;
  readonly form: Form;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/**
 * Answers a request for objects: what is given is to be sent; nothing where it has been sent already.
 * @throws KubeFailure
 */
export async function answerObjects(
  options: ObjectApiOptions,
  route: Route,
  request: IncomingMessage,
  response: ServerResponse,
  query: URLSearchParams,
): Promise<ApiAnswer | undefined> {
  const { resources } = options.objects;
  const { group, version, resource, subresource } = route;
  if (!resources.isServed(group, version)) return { status: 404, body: '404 page not found\n' };
  if (reviewKind(group, resource) !== undefined) return review(options, route, request);
  const served = resources.find(group, version, resource);
  if (!served || (route.namespace !== undefined && !served.resource.namespaced)) throw unknownResource();
  const form = readForm(request.headers.accept, query);
  const { namespace } = route;
  const asked: ObjectRequest = { ...options, served, route, namespace, query, form, request, response };
  const { hasStatus, hasScale, plural } = served.resource;
  if (subresource === undefined) return answerPlain(asked);
  if (subresource === 'status' && hasStatus) return answerOne(asked, 'status');
  if (subresource === 'scale' && hasScale) return answerScale(asked);
  if (subresource === 'finalize' && plural === 'namespaces') return answerOne(asked, undefined);
  throw unknownResource();
}

async function review(options: ObjectApiOptions, route: Route, request: IncomingMessage): Promise<ApiAnswer> {
  const { group, version, resource } = route;
  if (request.method !== 'POST' || route.name !== undefined) throw wrongMethod();
  const body = parseObject(await readBody(request), { group, version, kind: reviewKind(group, resource)! });
  return { status: 201, body: answerReview(group, version, resource, body, options.token()) };
}

async function answerPlain(asked: ObjectRequest): Promise<ApiAnswer | undefined> {
  const { route, request, served, query, objects, form } = asked;
  if (route.name !== undefined) return answerOne(asked, undefined);
  switch (request.method) {
    case 'GET':
      return list(asked);
    case 'POST': {
      if (served.resource.namespaced && route.namespace === undefined) throw wrongMethod();
      const body = parseObject(await readBody(request), served);
      const created = objects.create(served, route.namespace ?? '', body, writeOptions(query));
      return { status: 201, body: oneObject(form, served, created) };
    }
    case 'DELETE':
      return deleteCollection(asked);
    default:
      throw wrongMethod();
  }
}

async function list(asked: ObjectRequest): Promise<undefined> {
  const { served, namespace, query, form, response, objects, watches } = asked;
  const wanted = readListQuery(query, served);
  if (wanted.isWatch) return void watches.open(served, namespace, wanted, form, response);
  await waitForVersion(asked, wanted);
  const page = readPage(objects.store, tableOf(served), namespace, wanted);
  await sendList(response, listParts(form, served, page));
  return undefined;
}

/** How long a list waits for a version that is not there yet, as in the API server. */
const maxVersionWaitMs = 3_000;

async function waitForVersion(
  { objects, response }: ObjectRequest,
  { resourceVersion }: ListQuery,
): Promise<void> {
  const { store } = objects;
  if (resourceVersion === undefined || resourceVersion <= store.version) return;
  await new Promise<void>(resolve => {
    const done = () => {
      clearTimeout(timer);
      unsubscribe();
      response.off('close', done);
      resolve();
    };
    const timer = setTimeout(done, maxVersionWaitMs);
    const unsubscribe = store.subscribe(({ version }) => {
      if (version >= resourceVersion) done();
    });
    response.once('close', done);
  });
}

async function answerOne(asked: ObjectRequest, subresource: 'status' | undefined): Promise<ApiAnswer> {
  const { served, route, request, query, objects, form } = asked;
  const namespace = route.namespace ?? '';
  const name = route.name!;
  if (served.resource.namespaced && route.namespace === undefined) throw unknownResource();
  switch (request.method) {
    case 'GET':
      return { status: 200, body: oneObject(form, served, objects.get(served, namespace, name)) };
    case 'PUT': {
      const body = parseObject(await readBody(request), served);
      const written = objects.update(served, namespace, name, body, { ...writeOptions(query), subresource });
      return { status: 200, body: oneObject(form, served, written) };
    }
    case 'PATCH': {
      const bytes = await readBody(request);
      const type = request.headers['content-type'] ?? '';
      const options = { ...writeOptions(query), subresource };
      const { isNew, object } = applyPatch(objects, { served, namespace, name }, { type, bytes }, options);
      return { status: isNew ? 201 : 200, body: oneObject(form, served, object) };
    }
    case 'DELETE': {
      const options = await readDeleteOptions(request);
      const preconditions = objectOf(options.preconditions);
      const uid = textOf(preconditions.uid) || undefined;
      const resourceVersion = textOf(preconditions.resourceVersion) || undefined;
      const dryRun = writeOptions(query, options.dryRun).dryRun === true;
      const gone = objects.delete(served, namespace, name, { uid, resourceVersion }, { dryRun });
      return { status: 200, body: deleted(served, gone) };
    }
    default:
      throw wrongMethod();
  }
}

async function deleteCollection(asked: ObjectRequest): Promise<undefined> {
  const { served, namespace, query, form, request, response, objects } = asked;
  const isTooMuch =
    /^(namespaces|services)$/.test(served.plural) || (served.resource.namespaced && !namespace);
  if (isTooMuch) throw wrongMethod();
  const options = await readDeleteOptions(request);
  const page = readPage(objects.store, tableOf(served), namespace, readListQuery(query, served));
  const { dryRun = false } = writeOptions(query, options.dryRun);
  for (const { metadata } of page.items) {
    objects.delete(served, metadata.namespace ?? '', metadata.name, {}, { dryRun });
  }
  const version = objects.store.version;
  await sendList(response, listParts(form, served, { items: page.items, version }));
  return undefined;
}

/** `autoscaling/v1` Scale: how many replicas an object asks for. */
async function answerScale(asked: ObjectRequest): Promise<ApiAnswer> {
  const { served, route, request, query, objects } = asked;
  const { namespace = '', name = '' } = route;
  const before = objects.get(served, namespace, name);
  if (request.method === 'GET') return { status: 200, body: scaleOf(before) };
  const { replicas } = objectOf(await readScale(request, before));
  if (!Number.isInteger(replicas)) throw badRequest('spec.replicas is no number');
  const spec = { ...objectOf(before.spec), replicas: replicas as number };
  const after = objects.replace(served, before, { ...before, spec }, writeOptions(query));
  return { status: 200, body: scaleOf(after) };
}

async function readScale(request: IncomingMessage, before: KubeObject): Promise<Json | undefined> {
  const scale = { group: 'autoscaling', version: 'v1', kind: 'Scale' };
  const bytes = await readBody(request);
  if (request.method === 'PUT') return parseObject(bytes, scale).spec as Json;
  if (request.method !== 'PATCH') throw wrongMethod();
  const given = objectOf(JSON.parse(bytes.toString('utf8')));
  return given.spec === undefined ? (scaleOf(before) as { spec: Json }).spec : given.spec;
}

function scaleOf({ metadata, spec, status }: KubeObject): object {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = metadata;
  const { replicas = 0, selector } = objectOf(spec);
  const labels = Object.entries(objectOf(objectOf(selector).matchLabels));
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: { replicas },
    status: {
      replicas: objectOf(status).replicas ?? 0,
      selector: labels.map(([key, value]) => `${key}=${value}`).join(','),
    },
  };
}

/** What is answered when an object is gone. */
function deleted({ group, plural }: ServedResource, { metadata }: KubeObject): object {
  const details = {
    name: metadata.name,
    ...(group === '' ? {} : { group }),
    kind: plural,
    uid: metadata.uid,
  };
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details };
}

async function readDeleteOptions(request: IncomingMessage): Promise<{ readonly [key: string]: Json }> {
  const bytes = await readBody(request);
  if (bytes.length === 0) return {};
  return parseObject(bytes, { group: '', version: 'v1', kind: 'DeleteOptions' }) as {
    readonly [key: string]: Json;
  };
}

/** @throws KubeFailure 400 */
function writeOptions(query: URLSearchParams, inBody?: Json): WriteOptions {
  const asked = [...query.getAll('dryRun'), ...(Array.isArray(inBody) ? inBody.map(textOf) : [])];
  const wrong = asked.find(each => each !== 'All');
  if (wrong !== undefined) {
    throw badRequest(`Invalid value: ${JSON.stringify(wrong)}: supported values: "All"`);
  }
  return asked.length === 0 ? {} : { dryRun: true };
}

function wrongMethod(): KubeFailure {
  const text = 'the server does not allow this method on the requested resource';
  return new KubeFailure(405, 'MethodNotAllowed', text, {});
}
