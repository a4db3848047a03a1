/** Faults of Tiller and of API servers. */
import { loadTests } from '../support/load-tests.ts';

loadTests(
  'test/faults.test.ts',
  'test/odd-answers.test.ts',
  'test/budget-released.test.ts',
  'test/attack-memory.test.ts',
);
