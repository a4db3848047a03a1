import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { codeName } from '../protocol/index.ts';

export interface RequestOutcome {
  readonly front: 'http' | 'grpc';
  /** A template, never a path with names in it; empty where nothing answers the path. */
  readonly route: string;
  /** Empty for gRPC. */
  readonly verb: string;
  readonly status: number;
  readonly code: number;
  readonly durationMs: number;
  readonly bytes: number;
  /** Of a read: what `Tiller-Gateway-Reads` says. */
  readonly reads?: string | undefined;
  /** Which of several clusters answered. Their names are bounded in number: past the bound they count as `other`. */
  readonly cluster?: string | undefined;
}

/** Release records in memory, of all clusters. */
export interface RecordCounts {
  readonly held: number;
  readonly bytes: number;
  readonly unreadable: number;
  /** Of the oldest watch; undefined where there is none. */
  readonly ageSeconds: number | undefined;
}

/** What is counted by others, and read whenever the metrics are. */
export interface Watched {
  readonly connections: () => { readonly total: number; readonly http1: number; readonly http2: number };
  readonly inFlightBytes: () => number;
  readonly streams: () => { readonly streams: number; readonly sent: number; readonly cut: number };
  readonly records: () => RecordCounts;
  /** The number of clusters by state. With it requests are counted by cluster; a gateway without a hub has neither. */
  readonly clusterStates: () => Readonly<Record<string, number>>;
}

export interface Metrics {
  requestStarted(front: RequestOutcome['front']): void;
  requestFinished(outcome: RequestOutcome): void;
  tillerCalled(method: string, code: number, durationMs: number): void;
  /** A request or connection that was refused before any front saw it: a status, `connections` or `accept`. */
  refused(what: string): void;
  /** Has these read from now on; each once. */
  watch(sources: Partial<Watched>): void;
  render(): Promise<{ readonly type: string; readonly body: string }>;
}

/** The gateway's longest calls are installs that wait, minutes long; its shortest take under a millisecond. */
const bucketsSeconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];

/** Verbs that have a label value of their own. Anyone can send others. */
const knownVerbs = new Set(['', 'GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS']);

/** Past this many combinations of labels further ones are counted as `other`: routes × verbs × codes stay well below. */
const maxSeries = 1000;

/** Metrics of one gateway in a registry of its own, Node's included. */
export function createMetrics(version: string): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const named = (name: string, help: string) => ({ name: `tiller_gateway_${name}`, help, registers });
  const counter = <L extends string>(name: string, help: string, labelNames: L[]) =>
    new Counter({ ...named(name, help), labelNames });
  const gauge = <L extends string>(name: string, help: string, labelNames: L[]) =>
    new Gauge({ ...named(name, help), labelNames });
  const seconds = <L extends string>(name: string, help: string, labelNames: L[]) =>
    new Histogram({ ...named(name, help), labelNames, buckets: bucketsSeconds });
  gauge('build_info', 'Always 1; the version is in the label.', ['version']).set({ version }, 1);
  /** A gauge that something else counts; without a line while there is nothing to tell. */
  const watched = (name: string, help: string, read: () => number | undefined) =>
    new Gauge({
      ...named(name, help),
      collect() {
        const value = read();
        if (value === undefined) this.remove();
        else this.set(value);
      },
    });
  /** The same by the values of a label. */
  const watchedBy = (label: string, name: string, help: string, read: Watched['clusterStates']) =>
    new Gauge({
      ...named(name, help),
      labelNames: [label],
      collect() {
        for (const [value, count] of Object.entries(read())) this.set({ [label]: value }, count);
      },
    });
  /** A counter that something else counts. */
  const watchedTotal = (name: string, help: string, read: () => number) =>
    new Counter({
      ...named(name, help),
      collect() {
        this.reset();
        this.inc(read());
      },
    });

  const requests = counter('requests_total', 'Finished requests.', [
    'front',
    'verb',
    'route',
    'status',
    'code',
  ]);
  const durations = seconds(
    'request_duration_seconds',
    'Seconds from the header of a request to the end of its response.',
    ['front', 'route'],
  );
  const sent = counter('response_bytes_total', 'Bytes of HTTP/JSON response bodies as sent.', ['route']);
  const reads = counter('reads_total', 'Reads of releases, by what answered them.', ['source']);
  const inFlight = gauge('requests_in_flight', 'Requests in progress.', ['front']);
  const refusals = counter(
    'refused_total',
    'Requests that could not be read, by status, and connections that were not accepted.',
    ['what'],
  );
  const tillerCalls = counter('tiller_calls_total', 'Finished calls to Tiller.', ['method', 'code']);
  const tillerDurations = seconds(
    'tiller_call_duration_seconds',
    'Seconds of calls to Tiller, waiting for a connection included.',
    ['method'],
  );

  // prom-client hashes labels at every use; the series in use are few, so each is looked up once
  const request = remember((key: RequestOutcome, known) => {
    const verb = knownVerbs.has(key.verb) ? key.verb : 'other';
    const [route, status] = known ? [key.route, String(key.status)] : ['other', 'other'];
    const labels = { front: key.front, verb, route, status, code: codeName(key.code) };
    return {
      total: requests.labels(labels),
      duration: durations.labels({ front: key.front, route }),
      bytes: key.front === 'http' ? sent.labels({ route }) : undefined,
    };
  });
  const tiller = remember(({ method, code }: { method: string; code: number }, known) => ({
    total: tillerCalls.labels({ method: known ? method : 'other', code: codeName(code) }),
    duration: tillerDurations.labels({ method: known ? method : 'other' }),
  }));
  let countByCluster: ((cluster: string, code: number) => void) | undefined;
  const inProgress = { http: inFlight.labels({ front: 'http' }), grpc: inFlight.labels({ front: 'grpc' }) };
  inProgress.http.set(0);
  inProgress.grpc.set(0);

  return {
    requestStarted: front => inProgress[front].inc(),
    requestFinished(outcome) {
      const { front, verb, route, status, code, cluster } = outcome;
      const series = request(`${front} ${verb} ${route} ${status} ${code}`, outcome);
      inProgress[front].dec();
      series.total.inc();
      series.duration.observe(outcome.durationMs / 1000);
      series.bytes?.inc(outcome.bytes);
      if (cluster !== undefined) countByCluster?.(cluster, code);
      if (outcome.reads !== undefined)
        reads.inc({ source: /^records\b/.test(outcome.reads) ? 'records' : 'tiller' });
    },
    tillerCalled(method, code, durationMs) {
      const series = tiller(`${method} ${code}`, { method, code });
      series.total.inc();
      series.duration.observe(durationMs / 1000);
    },
    refused: what => refusals.inc({ what }),
    watch({ connections, inFlightBytes, streams, records, clusterStates }) {
      if (connections) {
        const help =
          'Open client connections; `other` are WebSockets and those whose protocol is not known yet.';
        watchedBy('protocol', 'connections', help, () => {
          const { total, http1, http2 } = connections();
          return { http1, http2, other: total - http1 - http2 };
        });
      }
      if (inFlightBytes) {
        const help =
          'Bytes that count against --in-flight-limit, and what the threads for large requests hold on top.';
        watched('in_flight_bytes', help, inFlightBytes);
      }
      if (streams) {
        const cut = 'Streams of changes that were ended because their client was too slow.';
        const sent = 'Events sent on streams of changes.';
        watched('watchers', 'Open streams of changes.', () => streams().streams);
        watchedTotal('watch_events_total', sent, () => streams().sent);
        watchedTotal('watchers_cut_total', cut, () => streams().cut);
      }
      if (records) {
        const name = 'records';
        const age = 'Seconds since the API server was heard of last, of the oldest watch.';
        watched(name, 'Revisions held from release records.', () => records().held);
        watched(`${name}_bytes`, 'Memory that release records take, nearly.', () => records().bytes);
        watched(`${name}_unreadable`, 'Release records that cannot be read.', () => records().unreadable);
        watched(`${name}_watch_age_seconds`, age, () => records().ageSeconds);
      }
      if (clusterStates) {
        watchedBy('state', 'clusters', 'Clusters by state.', clusterStates);
        const calls = counter('cluster_calls_total', 'Finished requests by cluster.', ['cluster', 'code']);
        const series = remember(({ cluster, code }: { cluster: string; code: number }, known) =>
          calls.labels({ cluster: known ? cluster : 'other', code: codeName(code) }),
        );
        countByCluster = (cluster, code) => series(`${code} ${cluster}`, { cluster, code }).inc();
      }
    },
    async render() {
      return { type: registry.contentType, body: await registry.metrics() };
    },
  };
}

/** Caches the result of `make` by key; past `maxSeries` it calls `make` with `known: false` and caches nothing. */
function remember<K, S>(make: (key: K, known: boolean) => S): (name: string, key: K) => S {
  const series = new Map<string, S>();
  return (name, key) => {
    const known = series.get(name);
    if (known) return known;
    if (series.size >= maxSeries) return make(key, false);
    const made = make(key, true);
    series.set(name, made);
    return made;
  };
}
