/** The tests beside the code of one half of the rooms. */
import { loadTests } from '../support/load-tests.ts';

loadTests('src/[a-q]*/**/*.test.ts');
