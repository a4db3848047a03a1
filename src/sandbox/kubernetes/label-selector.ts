import { invalidArgument } from '../../protocol/index.ts';

type Labels = Readonly<Record<string, string>>;

/**
 * Compiles a label selector: `a=b`, `a==b`, `a!=b`, `a`, `!a`, `a in (b,c)`, `a notin (b,c)`, joined by commas. An
 * empty one selects everything.
 * Source: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors
 * @throws GatewayError INVALID_ARGUMENT
 */
export function parseLabelSelector(text: string): (labels: Labels) => boolean {
  if (text.trim() === '') return () => true;
  const requirements = text.split(/,(?![^(]*\))/).map(parseRequirement);
  return labels => requirements.every(matches => matches(labels));
}

function parseRequirement(text: string): (labels: Labels) => boolean {
  const set = /^\s*([^\s!=(),]+)\s+(in|notin)\s+\(([^()]*)\)\s*$/.exec(text);
  if (set) {
    const [, key = '', operator, list = ''] = set;
    const values = list.split(',').map(value => value.trim());
    return labels => values.includes(labels[key] ?? '\0') === (operator === 'in');
  }
  const equality = /^\s*([^\s!=(),]+)\s*(==?|!=)\s*([^\s!=(),]*)\s*$/.exec(text);
  if (equality) {
    const [, key = '', operator, value] = equality;
    return labels => (labels[key] === value) === (operator !== '!=');
  }
  const existence = /^\s*(!?)\s*([^\s!=(),]+)\s*$/.exec(text);
  if (!existence) throw invalidArgument(`unable to parse requirement: ${JSON.stringify(text)}`);
  const [, negation, key = ''] = existence;
  return labels => (labels[key] !== undefined) === (negation === '');
}
