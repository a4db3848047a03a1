import { Code, GatewayError } from '../../protocol/index.ts';

/** Why one field of an object is refused. */
export interface FailureCause {
  readonly reason: string;
  readonly message: string;
  readonly field?: string;
}

/** Which object or resource a failure is about. */
export interface FailureDetails {
  readonly name?: string | undefined;
  readonly group?: string | undefined;
  /** A kind or the plural name of a resource, depending on the failure. */
  readonly kind?: string | undefined;
  readonly uid?: string | undefined;
  readonly causes?: readonly FailureCause[];
  readonly retryAfterSeconds?: number;
}

/**
 * A refusal of the API server: a `v1.Status` with its HTTP status. Its text is also what Tiller says when its own
 * request to the API failed.
 */
export class KubeFailure extends GatewayError {
  readonly status: number;
  readonly statusReason: string;
  readonly details: FailureDetails | undefined;
  /** Of the `v1.Status`; a list that expired says there how to go on. */
  readonly metadata: { readonly continue?: string };

  constructor(
    status: number,
    reason: string,
    message: string,
    details?: FailureDetails,
    metadata: { readonly continue?: string } = {},
  ) {
    super(status === 507 ? Code.RESOURCE_EXHAUSTED : Code.UNKNOWN, message);
    this.status = status;
    this.statusReason = reason;
    this.details = details;
    this.metadata = metadata;
  }

  /** As `v1.Status`. */
  toStatus(): object {
    return {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: this.metadata,
      status: 'Failure',
      message: this.message,
      ...(this.statusReason === '' ? {} : { reason: this.statusReason }),
      ...(this.details && { details: this.details }),
      code: this.status,
    };
  }
}

/** How failures name a resource: `deployments.apps`, and for details its parts. */
export interface ResourceNames {
  readonly group: string;
  readonly plural: string;
  readonly kind: string;
}

/** `configmaps`, `deployments.apps` */
export function qualified(name: string, group: string): string {
  return group === '' ? name : `${name}.${group}`;
}

export function notFound(
  { group, plural }: Pick<ResourceNames, 'group' | 'plural'>,
  name: string,
): KubeFailure {
  const text = `${qualified(plural, group)} ${JSON.stringify(name)} not found`;
  return new KubeFailure(404, 'NotFound', text, { name, ...groupOf(group), kind: plural });
}

export function alreadyExists({ group, plural }: ResourceNames, name: string): KubeFailure {
  const text = `${qualified(plural, group)} ${JSON.stringify(name)} already exists`;
  return new KubeFailure(409, 'AlreadyExists', text, { name, ...groupOf(group), kind: plural });
}

/** A write that was made for another version of the object than the stored one. */
export function conflict({ group, plural }: ResourceNames, name: string, why: string): KubeFailure {
  const text = `Operation cannot be fulfilled on ${qualified(plural, group)} ${JSON.stringify(name)}: ${why}`;
  return new KubeFailure(409, 'Conflict', text, { name, ...groupOf(group), kind: plural });
}

export function forbidden({ group, plural }: ResourceNames, name: string, why: string): KubeFailure {
  const text = `${qualified(plural, group)} ${JSON.stringify(name)} is forbidden: ${why}`;
  return new KubeFailure(403, 'Forbidden', text, { name, ...groupOf(group), kind: plural });
}

/** An object with wrong fields; there is at least one cause. */
export function invalid(
  { group, kind }: Pick<ResourceNames, 'group' | 'kind'>,
  name: string,
  causes: readonly FailureCause[],
): KubeFailure {
  const texts = causes.map(({ field, message }) => `${field}: ${message}`);
  const text = texts.length === 1 ? texts[0] : `[${texts.join(', ')}]`;
  return new KubeFailure(
    422,
    'Invalid',
    `${qualified(kind, group)} ${JSON.stringify(name)} is invalid: ${text}`,
    { name, ...groupOf(group), kind, causes },
  );
}

export function badRequest(message: string): KubeFailure {
  return new KubeFailure(400, 'BadRequest', message);
}

/** The answer to a path under a group and version that are served, for a resource that is not. */
export function unknownResource(): KubeFailure {
  return new KubeFailure(404, 'NotFound', 'the server could not find the requested resource', {});
}

/** A list or watch from a version whose history is gone. @param token continues an expired list without its state */
export function expired(message: string, token?: string): KubeFailure {
  return new KubeFailure(410, 'Expired', message, undefined, token === undefined ? {} : { continue: token });
}

function groupOf(group: string): { group?: string } {
  return group === '' ? {} : { group };
}
