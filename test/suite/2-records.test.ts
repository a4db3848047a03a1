/** Releases read from the records. */
import { loadTests } from '../support/load-tests.ts';

loadTests('test/records-*.test.ts');
