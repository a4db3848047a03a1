/* Examples of the OpenAPI document. */

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
const revision = { name: release.name, version: release.version, namespace: release.namespace };
const comparison = {
  to: 2,
  changed: 1,
  objects: [
    {
      change: 'CHANGED',
      api_version: 'v1',
      kind: 'Secret',
      name: 'alpha',
      diff: "--- Secret alpha\trevision 1\n+++ Secret alpha\trevision 2\n@@ -1,4 +1,4 @@\n apiVersion: v1\n data:\n-  password: '*** (before)'\n+  password: '*** (after)'\n kind: Secret\n",
      lines_added: 1,
      lines_removed: 1,
    },
  ],
};
const chartByUrl = {
  chart_url: 'https://charts.example.test/hello-0.1.0.tgz',
  values: { raw: 'greeting: salut\n' },
};

const repository = {
  name: 'stable',
  url: 'https://charts.example.test',
  source: 'FLAG',
  refreshed: '2026-11-21T09:27:00.487Z',
  charts: '12',
  versions: '341',
};
const added = { name: 'team', url: 'https://charts.team.example', source: 'FILE' };

const upload = {
  chart: {
    repo: 'uploads',
    name: 'hello',
    version: '0.1.0',
    description: 'One ConfigMap that greets',
    urls: ['uploads/hello/0.1.0'],
    digest: '5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03',
    created: '2026-11-21T09:27:00.487Z',
  },
  chart_url: 'uploads/hello/0.1.0',
  file_name: 'hello-0.1.0.tgz',
  bytes: '1024',
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
    GetReleaseManifest: { response: { ...revision, manifest: release.manifest } },
    GetReleaseHooks: {
      response: {
        ...revision,
        hooks: [
          {
            name: 'alpha-check',
            kind: 'Job',
            path: 'hello/templates/check.yaml',
            manifest: 'apiVersion: batch/v1\nkind: Job\n',
            events: ['POST_INSTALL'],
            last_run: '2026-11-21T09:27:01Z',
            weight: 5,
            delete_policies: ['SUCCEEDED'],
          },
        ],
      },
    },
    GetReleaseNotes: { response: { ...revision, notes: info.status.notes } },
    GetReleaseValues: {
      response: { ...revision, values: { greeting: 'salut' }, raw: 'greeting: salut\n' },
    },
    DiffRevisions: { response: { name: 'alpha', namespace: 'default', from: 1, ...comparison } },
    DiffRelease: {
      request: { ...chartByUrl, reuse_values: true },
      response: { name: 'alpha', namespace: 'default', from: 1, ...comparison },
    },
    GetEnvironment: {
      response: {
        environment: {
          HELM_BIN: 'tiller-gateway',
          HELM_NAMESPACE: 'default',
          HELM_REPOSITORIES: 'stable',
          TILLER_NAMESPACE: 'kube-system',
          TILLER_GATEWAY_READS: 'records',
        },
      },
    },
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
          {
            repo: 'stable',
            name: 'hello',
            version: '0.1.0',
            description: 'One ConfigMap that greets',
            icon: 'https://charts.example.test/hello.png',
            keywords: ['greeting'],
          },
        ],
      },
    },
    ListChartVersions: {
      response: {
        count: '2',
        total: '2',
        charts: [
          { repo: 'stable', name: 'hello', version: '0.1.0', urls: ['hello-0.1.0.tgz'] },
          { repo: 'stable', name: 'hello', version: '0.0.9', urls: ['hello-0.0.9.tgz'], deprecated: true },
        ],
      },
    },
    GetChartIcon: { response: { type: 'image/png', data: 'iVBORw0KGgo=' } },
    GetChart: {
      response: {
        summary: { repo: 'stable', name: 'hello', version: '0.1.0', urls: ['hello-0.1.0.tgz'] },
        readme: '# hello\n',
        values: 'greeting: hello\n',
        schema: '{"type": "object"}',
        chart: { name: 'hello', version: '0.1.0' },
      },
    },
    ListRepositories: { response: { repositories: [repository, added] } },
    AddRepository: {
      request: { name: 'team', url: 'https://charts.team.example', validate: true },
      response: { repository: added },
    },
    RemoveRepository: { response: {} },
    RefreshRepository: { response: { repository } },
    RefreshRepositories: {
      request: {},
      response: {
        repositories: [
          repository,
          { ...added, error: 'https://charts.team.example/index.yaml: the server answered 503' },
        ],
      },
    },
    ValidateRepository: {
      response: {
        valid: true,
        charts: '12',
        versions: '340',
        left_out: '1',
        left_out_entries: [{ chart: 'broken', position: '3', reason: 'NO_VERSION' }],
        archive: {
          chart: 'hello',
          version: '0.1.0',
          url: 'https://charts.example.test/hello-0.1.0.tgz',
          outcome: 'REACHABLE',
        },
      },
    },
    UploadChart: {
      request: { archive: 'H4sIAAAAAAAAA+3OMQ7CMAwF0MycIheI1LQJA2dh', force: false },
      response: { upload },
    },
    ListUploads: { response: { count: '1', uploads: [upload] } },
    DeleteUpload: { response: { upload } },
    WatchReleases: {
      response: {
        result: {
          type: 'ADDED',
          release: { name: 'alpha', info, chart_metadata: metadata, version: 1, namespace: 'default' },
          id: '5f0c2a91.7.configmaps-1034',
          at: '2026-11-21T09:27:00.512Z',
        },
      },
    },
  };
