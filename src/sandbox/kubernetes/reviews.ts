import { type KubeObject, listOf, objectOf, textOf } from '../objects/kube-object.ts';

/** The one user there is, who may do everything. */
const admin = { username: 'sandbox', groups: ['system:masters', 'system:authenticated'] };

type Review = (spec: ReturnType<typeof objectOf>, token: string) => object;

/** Objects that are questions: they are answered, not stored. By group, resource. */
const reviews: Readonly<Record<string, { readonly kind: string; readonly answer: Review }>> = {
  'authentication.k8s.io/tokenreviews': {
    kind: 'TokenReview',
    answer: (spec, token) => ({
      spec,
      status:
        textOf(spec.token) === token
          ? { authenticated: true, user: admin }
          : { user: {}, error: 'invalid bearer token' },
    }),
  },
  'authorization.k8s.io/subjectaccessreviews': { kind: 'SubjectAccessReview', answer: reviewSubject },
  'authorization.k8s.io/localsubjectaccessreviews': {
    kind: 'LocalSubjectAccessReview',
    answer: reviewSubject,
  },
  'authorization.k8s.io/selfsubjectaccessreviews': {
    kind: 'SelfSubjectAccessReview',
    answer: spec => ({ spec, status: { allowed: true } }),
  },
  'authorization.k8s.io/selfsubjectrulesreviews': {
    kind: 'SelfSubjectRulesReview',
    answer: () => ({
      spec: {},
      status: {
        resourceRules: [
          { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
          {
            verbs: ['create'],
            apiGroups: ['authorization.k8s.io'],
            resources: ['selfsubjectaccessreviews', 'selfsubjectrulesreviews'],
          },
        ],
        nonResourceRules: [
          { verbs: ['get'], nonResourceURLs: ['/healthz', '/livez', '/readyz', '/version', '/version/'] },
          { verbs: ['*'], nonResourceURLs: ['*'] },
          {
            verbs: ['get'],
            nonResourceURLs: [
              '/api',
              '/api/*',
              '/apis',
              '/apis/*',
              '/healthz',
              '/livez',
              '/openapi',
              '/openapi/*',
              '/readyz',
              '/version',
              '/version/',
            ],
          },
        ],
        incomplete: false,
      },
    }),
  },
};

/** Only those of the masters' group are allowed anything: roles are stored, but mean nothing here. */
function reviewSubject(spec: ReturnType<typeof objectOf>): object {
  return { spec, status: { allowed: listOf(spec.groups).includes('system:masters') } };
}

/** The kind of a review, or undefined for other resources. */
export function reviewKind(group: string, resource: string): string | undefined {
  const key = `${group}/${resource}`;
  return Object.hasOwn(reviews, key) ? reviews[key]?.kind : undefined;
}

/** The reviews of a group, for discovery. */
export function reviewsOf(group: string): { name: string; kind: string; namespaced: boolean }[] {
  return Object.entries(reviews).flatMap(([key, { kind }]) => {
    const [owner, name = ''] = key.split('/');
    return owner === group ? [{ name, kind, namespaced: name.startsWith('local') }] : [];
  });
}

/** @param token the one that is valid */
export function answerReview(
  group: string,
  version: string,
  resource: string,
  body: KubeObject,
  token: string,
): object {
  const { kind, answer } = reviews[`${group}/${resource}`]!;
  const metadata = { creationTimestamp: null };
  return { kind, apiVersion: `${group}/${version}`, metadata, ...answer(objectOf(body.spec), token) };
}
