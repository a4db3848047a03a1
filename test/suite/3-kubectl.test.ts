/** Manifests and the sandbox's API server, judged by kubectl. */
import { loadTests } from '../support/load-tests.ts';

loadTests('test/kubectl-*.test.ts');
