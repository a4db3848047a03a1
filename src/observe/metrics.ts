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
}

/** Release records in memory, of all clusters. */
export interface RecordCounts {
  readonly held: number;
  readonly bytes: number;
  readonly unreadable: number;
  /** Of the oldest watch; undefined where there is none. */
  readonly ageSeconds: number | undefined;
}

/** Metrics of the hub. The names of clusters are bounded in number: past the bound they count as `other`. */
export interface ClusterMetrics {
  called(cluster: string, code: number): void;
  /** `counts` gives the number of clusters by state; called whenever the metrics are read. */
  watchStates(counts: () => Readonly<Record<string, number>>): void;
}

export interface Metrics {
  requestStarted(front: RequestOutcome['front']): void;
  requestFinished(outcome: RequestOutcome): void;
  tillerCalled(method: string, code: number, durationMs: number): void;
  /** A request or connection that was refused before any front saw it: a status, `connections` or `accept`. */
  refused(what: string): void;
  /** `counts` is called whenever the metrics are read. */
  watchConnections(
    counts: () => { readonly total: number; readonly http1: number; readonly http2: number },
  ): void;
  /** `bytes` is called whenever the metrics are read. */
  watchInFlight(bytes: () => number): void;
  /** `counts` is called whenever the metrics are read. */
  watchStreams(counts: () => { readonly streams: number; readonly sent: number; readonly cut: number }): void;
  /** `counts` is called whenever the metrics are read. */
  watchRecords(counts: () => RecordCounts): void;
  /** The metrics of many clusters; registered at the first call, so that a gateway without a hub has none. */
  clusters(): ClusterMetrics;
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
  const counter = <L extends string>(name: string, help: string, labelNames: L[]) =>
    new Counter({ name, help, labelNames, registers });
  const gauge = <L extends string>(name: string, help: string, labelNames: L[]) =>
    new Gauge({ name, help, labelNames, registers });
  const seconds = <L extends string>(name: string, help: string, labelNames: L[]) =>
    new Histogram({ name, help, labelNames, buckets: bucketsSeconds, registers });
  gauge('tiller_gateway_build_info', 'Always 1; the version is in the label.', ['version']).set(
    { version },
    1,
  );
  const requests = counter('tiller_gateway_requests_total', 'Finished requests.', [
    'front',
    'verb',
    'route',
    'status',
    'code',
  ]);
  const durations = seconds(
    'tiller_gateway_request_duration_seconds',
    'Seconds from the header of a request to the end of its response.',
    ['front', 'route'],
  );
  const sent = counter('tiller_gateway_response_bytes_total', 'Bytes of HTTP/JSON response bodies as sent.', [
    'route',
  ]);
  const reads = counter('tiller_gateway_reads_total', 'Reads of releases, by what answered them.', [
    'source',
  ]);
  const inFlight = gauge('tiller_gateway_requests_in_flight', 'Requests in progress.', ['front']);
  const refusals = counter(
    'tiller_gateway_refused_total',
    'Requests that could not be read, by status, and connections that were not accepted.',
    ['what'],
  );
  const tillerCalls = counter('tiller_gateway_tiller_calls_total', 'Finished calls to Tiller.', [
    'method',
    'code',
  ]);
  const tillerDurations = seconds(
    'tiller_gateway_tiller_call_duration_seconds',
    'Seconds of calls to Tiller, waiting for a connection included.',
    ['method'],
  );

  /** A counter that something else counts. */
  const watchTotal = (name: string, help: string, read: () => number) => {
    new Counter({
      name,
      help,
      registers,
      collect() {
        this.reset();
        this.inc(read());
      },
    });
  };

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
  const inProgress = { http: inFlight.labels({ front: 'http' }), grpc: inFlight.labels({ front: 'grpc' }) };
  inProgress.http.set(0);
  inProgress.grpc.set(0);

  return {
    requestStarted: front => inProgress[front].inc(),
    requestFinished(outcome) {
      const { front, verb, route, status, code } = outcome;
      const series = request(`${front} ${verb} ${route} ${status} ${code}`, outcome);
      inProgress[front].dec();
      series.total.inc();
      series.duration.observe(outcome.durationMs / 1000);
      series.bytes?.inc(outcome.bytes);
      if (outcome.reads !== undefined)
        reads.inc({ source: /^records\b/.test(outcome.reads) ? 'records' : 'tiller' });
    },
    tillerCalled(method, code, durationMs) {
      const series = tiller(`${method} ${code}`, { method, code });
      series.total.inc();
      series.duration.observe(durationMs / 1000);
    },
    refused: what => refusals.inc({ what }),
    watchConnections(counts) {
      new Gauge({
        name: 'tiller_gateway_connections',
        help: 'Open client connections; `other` are WebSockets and those whose protocol is not known yet.',
        labelNames: ['protocol'],
        registers,
        collect() {
          const { total, http1, http2 } = counts();
          this.set({ protocol: 'http1' }, http1);
          this.set({ protocol: 'http2' }, http2);
          this.set({ protocol: 'other' }, total - http1 - http2);
        },
      });
    },
    watchInFlight(bytes) {
      new Gauge({
        name: 'tiller_gateway_in_flight_bytes',
        help: 'Bytes that count against --in-flight-limit, and what the threads for large requests hold on top.',
        registers,
        collect() {
          this.set(bytes());
        },
      });
    },
    watchRecords(counts) {
      const watched = (name: string, help: string, read: (counts: RecordCounts) => number | undefined) =>
        new Gauge({
          name: `tiller_gateway_records${name}`,
          help,
          registers,
          collect() {
            const value = read(counts());
            if (value === undefined) this.remove();
            else this.set(value);
          },
        });
      watched('', 'Revisions held from release records.', ({ held }) => held);
      watched('_bytes', 'Memory that release records take, nearly.', ({ bytes }) => bytes);
      watched('_unreadable', 'Release records that cannot be read.', ({ unreadable }) => unreadable);
      const age = 'Seconds since the API server was heard of last, of the oldest watch.';
      watched('_watch_age_seconds', age, ({ ageSeconds }) => ageSeconds);
    },
    watchStreams(counts) {
      new Gauge({
        name: 'tiller_gateway_watchers',
        help: 'Open streams of changes.',
        registers,
        collect() {
          this.set(counts().streams);
        },
      });
      watchTotal(
        'tiller_gateway_watch_events_total',
        'Events sent on streams of changes.',
        () => counts().sent,
      );
      watchTotal(
        'tiller_gateway_watchers_cut_total',
        'Streams of changes that were ended because their client was too slow.',
        () => counts().cut,
      );
    },
    clusters: () => createClusterMetrics(registry),
    async render() {
      return { type: registry.contentType, body: await registry.metrics() };
    },
  };
}

function createClusterMetrics(registry: Registry): ClusterMetrics {
  const registers = [registry];
  const calls = new Counter({
    name: 'tiller_gateway_cluster_calls_total',
    help: 'Finished requests by cluster.',
    labelNames: ['cluster', 'code'],
    registers,
  });
  const series = remember(({ cluster, code }: { cluster: string; code: number }, known) =>
    calls.labels({ cluster: known ? cluster : 'other', code: codeName(code) }),
  );
  return {
    called: (cluster, code) => series(`${code} ${cluster}`, { cluster, code }).inc(),
    watchStates(counts) {
      new Gauge({
        name: 'tiller_gateway_clusters',
        help: 'Clusters by state.',
        labelNames: ['state'],
        registers,
        collect() {
          for (const [state, count] of Object.entries(counts())) this.set({ state }, count);
        },
      });
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
