import type { RepositoryRegistry, RepositorySummary, Validation } from '../charts/index.ts';
import type { SwiftAddRepositoryRequest, SwiftChartRepository } from '../codec/index.ts';
import { type Answer, answer } from './answer.ts';

const sources = { flag: 'FLAG', file: 'FILE', memory: 'MEMORY' } as const;

/** The methods about chart repositories. What they answer holds no credentials: the registry gives none out. */
export function repositoryAnswers(registry: RepositoryRegistry): Record<string, Answer> {
  return {
    ListRepositories: answer('ListRepositories', async () => ({
      repositories: (await registry.list()).map(toMessage),
    })),
    AddRepository: answer('AddRepository', async (given, { signal }) => ({
      repository: toMessage(await registry.add(toRepository(given), signal)),
    })),
    RemoveRepository: answer('RemoveRepository', async ({ name }) => {
      await registry.remove(name);
      return {};
    }),
    RefreshRepository: answer('RefreshRepository', async ({ name }, { signal }) => ({
      repository: toMessage(await registry.refresh(name, signal)),
    })),
    RefreshRepositories: answer('RefreshRepositories', async (_all, { signal }) => ({
      repositories: (await registry.refreshAll(signal)).map(toMessage),
    })),
    ValidateRepository: answer('ValidateRepository', async ({ name }, { signal }) =>
      toReport(await registry.validate(name, signal)),
    ),
  };
}

function toRepository({ name, url, validate, ...given }: SwiftAddRepositoryRequest) {
  const { username, password, token, ca_bundle, client_certificate, client_key, insecure_skip_verify } =
    given;
  const credentials = {
    ...{ username, password, token, caBundle: ca_bundle, clientCertificate: client_certificate },
    ...{ clientKey: client_key, insecureSkipVerify: insecure_skip_verify },
  };
  return { name, url, validate, credentials };
}

function toMessage({ origin, refreshed, ...summary }: RepositorySummary): Partial<SwiftChartRepository> {
  const at = refreshed?.getTime() ?? 0;
  const time = { seconds: Math.floor(at / 1000), nanos: (at % 1000) * 1_000_000 };
  return { ...summary, source: sources[origin], ...(refreshed && { refreshed: time }) };
}

function toReport({ leftOut, leftOutEntries, archive, ...report }: Validation) {
  return { ...report, left_out: leftOut, left_out_entries: [...leftOutEntries], ...(archive && { archive }) };
}
