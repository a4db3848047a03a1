/** Charts from folders, uploads, repositories and registries. */
import { loadTests } from '../support/load-tests.ts';

loadTests('test/chart-*.test.ts', 'test/charts-*.test.ts');
