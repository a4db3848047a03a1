import { randomInt } from 'node:crypto';
import { type FailureCause, invalid, qualified } from './failure.ts';
import { splitApiVersion } from './resources.ts';

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

/** The names of an object; `name` is empty where neither it nor `generateName` is given. */
interface ObjectNames {
  readonly name: string;
  readonly generateName?: string;
}

/** What the API server has against the names of an object of that kind: nothing when they are right. */
export function objectNameCauses(kind: string, { name, generateName = '' }: ObjectNames): FailureCause[] {
  const rule = rulesByKind[kind] ?? subdomain;
  return [
    ...invalidValues(rule, 'metadata.generateName', generateName, maskTrailingDash(generateName)),
    ...(name === ''
      ? [
          {
            reason: 'FieldValueRequired',
            message: 'Required value: name or generateName is required',
            field: 'metadata.name',
          },
        ]
      : invalidValues(rule, 'metadata.name', name, name)),
  ];
}

/** As a text, or undefined when the names are right. */
export function objectNameFault(apiVersion: string, kind: string, names: ObjectNames): string | undefined {
  const causes = objectNameCauses(kind, names);
  const [group] = splitApiVersion(apiVersion);
  return causes.length === 0 ? undefined : invalid({ group, kind }, names.name, causes).message;
}

/** @param checked what the rule looks at; `value` is what is shown */
function invalidValues(rule: NameRule, field: string, value: string, checked: string): FailureCause[] {
  if (value === '') return [];
  const texts: string[] = [];
  if (checked.length > rule.maxLength) texts.push(`must be no more than ${rule.maxLength} characters`);
  if (!rule.pattern.test(checked)) texts.push(rule.text);
  return texts.map(text => ({
    reason: 'FieldValueInvalid',
    message: `Invalid value: ${JSON.stringify(value)}: ${text}`,
    field,
  }));
}

/** A prefix may end in a dash. The two characters are Kubernetes' own (maskTrailingDash). */
function maskTrailingDash(prefix: string): string {
  return prefix.endsWith('-') ? `${prefix.slice(0, -2)}a` : prefix;
}

const suffixCharacters = 'bcdfghjklmnpqrstvwxz2456789';
const suffixLength = 5;
const maxPrefixLength = 63 - suffixLength;

/** The name that the API server makes up from `generateName`. */
export function generateObjectName(prefix: string): string {
  const characters = Array.from(
    { length: suffixLength },
    () => suffixCharacters[randomInt(suffixCharacters.length)],
  );
  return prefix.slice(0, maxPrefixLength) + characters.join('');
}

/** Why Tiller's Kubernetes client cannot ask for an object of that name, or undefined when it can. */
export function requestNameFault(name: string): string | undefined {
  if (name === '') return 'resource name may not be empty';
  const faults =
    name === '.' || name === '..'
      ? [`may not be '${name}'`]
      : ['/', '%'].filter(each => name.includes(each)).map(each => `may not contain '${each}'`);
  return faults.length === 0
    ? undefined
    : `invalid resource name ${JSON.stringify(name)}: [${faults.join(' ')}]`;
}

/** `configmaps`, `deployments.apps`: how the API server names a resource in its answers. */
export function resourceName(apiVersion: string, kind: string): string {
  return qualified(pluralOf(kind), splitApiVersion(apiVersion)[0]);
}

/** The plural name of the resource of a kind, as Kubernetes guesses it. */
export function pluralOf(kind: string): string {
  const word = kind.toLowerCase();
  if (word === 'endpoints') return word;
  if (/(?:s|x|ch|sh)$/.test(word)) return `${word}es`;
  return /[^aeiou]y$/.test(word) ? `${word.slice(0, -1)}ies` : `${word}s`;
}
