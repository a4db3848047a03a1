import type { Charts } from '../charts/index.ts';
import { type Answer, answer, decodeRequest } from './answer.ts';
import { repositoryAnswers } from './repository-service.ts';
import { uploadAnswers } from './upload-service.ts';

/**
 * The methods about charts by name. Tiller knows nothing of repositories: none of these reaches it, nor needs one that
 * can be reached.
 */
export function chartAnswers(charts: Charts): Record<string, Answer> {
  return {
    SearchCharts: answer('SearchCharts', async (query, { signal }) => {
      const { charts: hits, ...page } = await charts.catalogue.search(query, signal);
      return { ...page, charts: [...hits] };
    }),
    ListChartVersions: answer('ListChartVersions', async (wanted, { signal }) => {
      const { charts: versions, ...page } = await charts.catalogue.versions(wanted, signal);
      return { ...page, charts: [...versions] };
    }),
    GetChart: async (_backend, wire, { signal, hold }) => {
      const wanted = decodeRequest('appscode.swift.v2.GetChartRequest', wire);
      return charts.catalogue.chart(wanted, signal, hold);
    },
    GetChartIcon: answer('GetChartIcon', async (wanted, { signal, hold }) => {
      const { type, data } = await charts.catalogue.icon(wanted, signal, hold);
      return { type, data };
    }),
    ...repositoryAnswers(charts.repositories),
    ...uploadAnswers(charts.uploads),
  };
}
