/** The tests of the renderer's package. */
import { loadTests } from '../support/load-tests.ts';

loadTests('packages/*/src/**/*.test.ts', 'packages/*/test/**/*.test.ts');
