import { badRequest } from './failure.ts';
import { type KubeObject, type Labels, objectOf } from './kube-object.ts';

type Match = (labels: Labels) => boolean;

/**
 * Compiles a label selector: `a=b`, `a==b`, `a!=b`, `a`, `!a`, `a in (b,c)`, `a notin (b,c)`, `a>1`, `a<1`, joined by
 * commas. An empty one selects everything.
 * Source: https://github.com/kubernetes/apimachinery/blob/kubernetes-1.18.20/pkg/labels/selector.go
 * @throws KubeFailure 400 with the API server's words
 */
export function parseLabelSelector(text: string): Match {
  if (text.trim() === '') return () => true;
  const requirements = new SelectorReader(text).read();
  return labels => requirements.every(matches => matches(labels));
}

class SelectorReader {
  readonly #tokens: string[];
  #next = 0;

  constructor(text: string) {
    // symbols are read greedily, so `===` is `==` and `=`
    this.#tokens = text.match(/==|!=|[()=!<>,]|[^\s()=!<>,]+/g) ?? [];
  }

  read(): Match[] {
    const requirements = [this.#requirement()];
    while (this.#peek() !== '') {
      if (this.#take() !== ',') throw this.#unexpected("',' or 'end of string'");
      requirements.push(this.#requirement());
    }
    return requirements;
  }

  #requirement(): Match {
    const isNegated = this.#peek() === '!';
    if (isNegated) this.#take();
    const key = this.#identifier();
    if (isNegated || this.#peek() === '' || this.#peek() === ',') {
      return labels => (labels[key] !== undefined) !== isNegated;
    }
    const operator = this.#take();
    switch (operator) {
      case '=':
      case '==':
      case '!=': {
        const value = this.#exactValue();
        return labels => (labels[key] === value) === (operator !== '!=');
      }
      case '<':
      case '>': {
        const bound = Number(this.#identifier());
        return labels => {
          const number = Number(labels[key] ?? Number.NaN);
          return operator === '<' ? number < bound : number > bound;
        };
      }
      case 'in':
      case 'notin': {
        const values = this.#values();
        return labels => values.includes(labels[key] ?? '\0') === (operator === 'in');
      }
      default:
        throw this.#unexpected("'=', '!=', '==', 'in', notin'");
    }
  }

  /** Nothing is a value too: `a=` and `a=,b`. */
  #exactValue(): string {
    return this.#peek() === '' || this.#peek() === ',' ? '' : this.#identifier();
  }

  #values(): string[] {
    if (this.#take() !== '(') throw this.#unexpected("'('");
    const values: string[] = [];
    for (;;) {
      values.push(this.#peek() === ',' || this.#peek() === ')' ? '' : this.#identifier());
      const separator = this.#take();
      if (separator === ')') return values;
      if (separator !== ',') throw this.#unexpected("',' or ')'");
    }
  }

  #identifier(): string {
    const token = this.#take();
    if (token === '' || /^[()=!<>,]/.test(token)) throw this.#unexpected('identifier');
    return token;
  }

  #peek(): string {
    return this.#tokens[this.#next] ?? '';
  }

  #take(): string {
    return this.#tokens[this.#next++] ?? '';
  }

  /** About the token that was taken last. */
  #unexpected(expected: string): Error {
    const token = this.#tokens[this.#next - 1] ?? '';
    return badRequest(`unable to parse requirement: found '${token}', expected: ${expected}`);
  }
}

/** Paths that a field selector may name, beside `metadata.name` and `metadata.namespace`, by kind. */
const selectableFields: Readonly<Record<string, readonly string[]>> = {
  Pod: ['spec.nodeName', 'spec.restartPolicy', 'spec.serviceAccountName', 'status.phase', 'status.podIP'],
  Event: [
    'involvedObject.kind',
    'involvedObject.namespace',
    'involvedObject.name',
    'involvedObject.uid',
    'involvedObject.apiVersion',
    'involvedObject.resourceVersion',
    'involvedObject.fieldPath',
    'reason',
    'source',
    'type',
  ],
  Secret: ['type'],
  Namespace: ['status.phase'],
  Job: ['status.successful'],
  ReplicaSet: ['status.replicas'],
};

/**
 * Compiles a field selector: `a=b`, `a==b`, `a!=b`, joined by commas.
 * @throws KubeFailure 400
 */
export function parseFieldSelector(text: string, kind: string): (object: KubeObject) => boolean {
  if (text.trim() === '') return () => true;
  const terms = text.split(',').map(term => {
    const [, path = '', operator, value = ''] = /^([^=!]+)(==?|!=)([^=!]*)$/.exec(term.trimStart()) ?? [];
    if (operator === undefined) throw badRequest(`invalid selector: '${text}'; can't understand '${term}'`);
    if (!/^metadata\.(name|namespace)$/.test(path) && !selectableFields[kind]?.includes(path)) {
      throw badRequest(`field label not supported: ${path}`);
    }
    return (object: KubeObject) => (fieldOf(object, path) === value) === (operator !== '!=');
  });
  return object => terms.every(matches => matches(object));
}

function fieldOf(object: KubeObject, path: string): string {
  const value = path.split('.').reduce<unknown>((part, key) => objectOf(part)[key], object);
  return value === undefined || value === null ? '' : String(value);
}
