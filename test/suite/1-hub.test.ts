/** Many clusters behind one gateway. */
import { loadTests } from '../support/load-tests.ts';

loadTests('test/hub-*.test.ts', 'test/watch-hub.test.ts');
