import { Code, codeName, codeToHttpStatus } from '../../protocol/index.ts';
import type { Schema } from './schemas.ts';

interface ErrorCase {
  readonly code: Code;
  /** Where HTTP knows better than the code. */
  readonly status?: number;
  readonly description: string;
  readonly message: string;
}

const invalid: ErrorCase = {
  code: Code.INVALID_ARGUMENT,
  description: 'The request cannot be right: a field, the chart, or its values.',
  message: 'limit: expected a whole number, got "two"',
};
const notFound: ErrorCase = {
  code: Code.NOT_FOUND,
  description: 'There is no such release or revision.',
  message: 'release: "nope" not found',
};
const forbidden: ErrorCase = {
  code: Code.PERMISSION_DENIED,
  description: 'Tiller may not do this in the cluster.',
  message:
    'release alpha failed: configmaps is forbidden: User "system:serviceaccount:kube-system:tiller" cannot create',
};
const conflict: ErrorCase = {
  code: Code.ALREADY_EXISTS,
  description: 'The name is taken, the release is deleted already, or another operation is in progress.',
  message: 'a release named alpha already exists.',
};
const tooLarge: ErrorCase = {
  code: Code.RESOURCE_EXHAUSTED,
  status: 413,
  description: 'The body is over the limit (`--max-body-bytes`).',
  message: 'the request body is over the limit of 33554432 bytes',
};
const unknown: ErrorCase = {
  code: Code.UNKNOWN,
  description: 'Tiller failed in a way that its text does not explain.',
  message: 'etcdserver: request timed out',
};
const unavailable: ErrorCase = {
  code: Code.UNAVAILABLE,
  description:
    'Tiller, its cluster or a chart repository is out of reach; the message says which step failed.',
  message: 'connecting to tiller-deploy.kube-system.svc:44134: connection refused',
};
const late: ErrorCase = {
  code: Code.DEADLINE_EXCEEDED,
  description: 'The deadline (`Grpc-Timeout`, `--tiller-timeout`) passed, or Tiller waited in vain.',
  message: 'release alpha failed: timed out waiting for the condition',
};

/** The error responses of an operation, by HTTP status. */
export function errorResponses(
  writes: boolean,
  hasBody: boolean,
  namesRelease: boolean,
): Record<string, Schema> {
  const cases = [
    invalid,
    ...(writes ? [forbidden] : []),
    ...(namesRelease ? [notFound] : []),
    ...(writes ? [conflict] : []),
    ...(hasBody ? [tooLarge] : []),
    unknown,
    unavailable,
    late,
  ];
  return Object.fromEntries(
    cases.map(found => [String(found.status ?? codeToHttpStatus(found.code)), response(found)]),
  );
}

function response({ code, description, message }: ErrorCase): Schema {
  return {
    description: `${codeName(code)}: ${description}`,
    content: {
      'application/json': { schema: { $ref: '#/components/schemas/Error' }, example: { code, message } },
    },
  };
}

export const errorSchema: Schema = {
  type: 'object',
  description: 'What went wrong. `code` is a google.rpc.Code.',
  required: ['code', 'message'],
  properties: {
    code: { type: 'integer', minimum: 1, maximum: 16 },
    message: { type: 'string' },
  },
};
