/** The dialect of helm-wrapper. */
import { loadTests } from '../support/load-tests.ts';

loadTests('test/helm-wrapper-[!b]*.test.ts');
