/** Names of objects as the Kubernetes API server checks them (1.18), with its words. */

interface NameRule {
  readonly pattern: RegExp;
  readonly maxLength: number;
  readonly text: string;
}

const subdomain: NameRule = {
  pattern: /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/,
  maxLength: 253,
  text:
    "a DNS-1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an " +
    "alphanumeric character (e.g. 'example.com', regex used for validation is " +
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
};

const label: NameRule = {
  pattern: /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$/,
  maxLength: 63,
  text:
    "a DNS-1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an " +
    "alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
};

const serviceLabel: NameRule = {
  pattern: /^[a-z](?:[-a-z0-9]*[a-z0-9])?$/,
  maxLength: 63,
  text:
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and " +
    "end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is " +
    "'[a-z]([-a-z0-9]*[a-z0-9])?')",
};

const pathSegment: NameRule = {
  pattern: /^(?!\.{1,2}$)[^/%]+$/,
  maxLength: Number.POSITIVE_INFINITY,
  text: "may not contain '/' or '%', and may not be '.' or '..'",
};

const rulesByKind: Record<string, NameRule> = {
  Service: serviceLabel,
  Namespace: label,
  Role: pathSegment,
  RoleBinding: pathSegment,
  ClusterRole: pathSegment,
  ClusterRoleBinding: pathSegment,
};

/** What the API server would say against the name of an object of that kind, or undefined when it is right. */
export function objectNameFault(apiVersion: string, kind: string, name: string): string | undefined {
  const fault = nameFault(rulesByKind[kind] ?? subdomain, name);
  return fault && `${qualifiedKind(apiVersion, kind)} "${name}" is invalid: metadata.name: ${fault}`;
}

function nameFault(rule: NameRule, name: string): string | undefined {
  if (name === '') return 'Required value: name or generateName is required';
  const faults: string[] = [];
  if (name.length > rule.maxLength) faults.push(`must be no more than ${rule.maxLength} characters`);
  if (!rule.pattern.test(name)) faults.push(rule.text);
  return faults.length === 0 ? undefined : `Invalid value: ${JSON.stringify(name)}: ${faults.join(', ')}`;
}

/** `ConfigMap`, `Deployment.apps` */
function qualifiedKind(apiVersion: string, kind: string): string {
  const group = groupOf(apiVersion);
  return group === '' ? kind : `${kind}.${group}`;
}

/** `configmaps`, `deployments.apps`: how the API server names a resource in its answers. */
export function resourceName(apiVersion: string, kind: string): string {
  const group = groupOf(apiVersion);
  return group === '' ? plural(kind.toLowerCase()) : `${plural(kind.toLowerCase())}.${group}`;
}

function groupOf(apiVersion: string): string {
  return apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '';
}

function plural(word: string): string {
  if (word === 'endpoints') return word;
  if (/(?:s|x|ch|sh)$/.test(word)) return `${word}es`;
  return /[^aeiou]y$/.test(word) ? `${word.slice(0, -1)}ies` : `${word}s`;
}
