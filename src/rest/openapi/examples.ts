const info = {
  status: { code: 'DEPLOYED', notes: 'hello, world!\n' },
  first_deployed: '2026-11-21T09:27:00.487124278Z',
  last_deployed: '2026-11-21T09:27:00.487124278Z',
  Description: 'Install complete',
};
const metadata = {
  name: 'hello',
  version: '0.1.0',
  description: 'One ConfigMap that greets',
  appVersion: '1.0',
};
const inlineChart = {
  metadata,
  templates: [{ name: 'templates/configmap.yaml', data: 'a2luZDogQ29uZmlnTWFwCg==' }],
  values: { raw: 'greeting: hello\n' },
};
const release = {
  name: 'alpha',
  info,
  chart: inlineChart,
  config: { raw: 'greeting: salut\n' },
  manifest: '\n---\n# Source: hello/templates/configmap.yaml\nkind: ConfigMap\n',
  version: 1,
  namespace: 'default',
};
const chartByUrl = {
  chart_url: 'https://charts.example.test/hello-0.1.0.tgz',
  values: { raw: 'greeting: salut\n' },
};

/** A request body and an answer of each method, as they are sent. */
export const examples: Readonly<Record<string, { readonly request?: unknown; readonly response: unknown }>> =
  {
    SummarizeReleases: {
      response: {
        count: '1',
        total: '1',
        releases: [
          {
            name: 'alpha',
            info,
            chart_metadata: metadata,
            config: { raw: 'greeting: salut\n' },
            version: 1,
            namespace: 'default',
          },
        ],
      },
    },
    GetReleaseStatus: { response: { name: 'alpha', info, namespace: 'default' } },
    GetReleaseContent: { response: { release } },
    UpdateRelease: {
      request: { ...chartByUrl, reuse_values: true },
      response: { release: { ...release, version: 2 } },
    },
    InstallRelease: { request: { ...chartByUrl, namespace: 'team-a' }, response: { release } },
    UninstallRelease: {
      response: { release: { ...release, info: { ...info, status: { code: 'DELETED' } } } },
    },
    GetVersion: {
      response: {
        Version: {
          sem_ver: 'v2.17.0',
          git_commit: 'a690bad98af45b015bd3da1a41f6218b1a451dbe',
          git_tree_state: 'clean',
        },
      },
    },
    RollbackRelease: { request: { version: 1 }, response: { release: { ...release, version: 3 } } },
    GetHistory: { response: { releases: [release] } },
    RunReleaseTest: {
      request: { cleanup: true },
      response: { result: { msg: 'PASSED: alpha-check', status: 'SUCCESS' } },
    },
    SearchCharts: {
      response: {
        count: '1',
        total: '1',
        charts: [
          { repo: 'stable', name: 'hello', version: '0.1.0', description: 'One ConfigMap that greets' },
        ],
      },
    },
  };
