/** Measures the heap of its process. */
import { loadTests } from '../support/load-tests.ts';

loadTests('test/clusters-faults.test.ts');
