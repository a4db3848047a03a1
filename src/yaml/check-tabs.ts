import { COLLECTION_STYLE, EVENT_ID, type Event, SCALAR_STYLE } from 'js-yaml';
import { lineAt, YamlError } from './yaml-error.ts';

const leadingTab = /(?<![^\r\n])( *)\t/g;

/** A part of the text in which a tab may stand before a line, if behind at least so many spaces. */
interface Region {
  readonly start: number;
  readonly end: number;
  readonly minSpaces: number;
}

/**
 * Refuses tabs where libyaml does and YAML 1.2 does not: in front of a line of block context, a comment or an empty one
 * too, and in the indentation of a block scalar. Helm's users meet this rule daily.
 * @throws YamlError with the line
 */
export function checkTabs(text: string, events: readonly Event[]): void {
  const tabs = text.includes('\t') ? [...text.matchAll(leadingTab)] : [];
  if (tabs.length === 0) return;
  const regions = regionsOf(text, events);
  let next = 0;
  for (const { index, 0: indentation } of tabs) {
    const position = index + indentation.length - 1;
    while (next < regions.length && regions[next]!.end <= position) next++;
    const region = regions[next];
    const isInside = region !== undefined && region.start <= position;
    if (isInside && indentation.length > region.minSpaces) continue;
    throw new YamlError('found a tab character that cannot start any token', lineAt(text, position));
  }
}

/** Scalars and outermost flow collections, in the order of the text. */
function regionsOf(text: string, events: readonly Event[]): Region[] {
  const regions: Region[] = [];
  const open: { readonly start: number; readonly isFlow: boolean }[] = [];
  let end = 0;
  for (const event of events) {
    const inFlow = open.at(-1)?.isFlow === true;
    if (event.type === EVENT_ID.SEQUENCE || event.type === EVENT_ID.MAPPING) {
      const isFlow = event.style === COLLECTION_STYLE.FLOW;
      open.push(inFlow ? { start: open.at(-1)!.start, isFlow } : { start: event.start, isFlow });
      end = event.start + 1;
    } else if (event.type === EVENT_ID.SCALAR && event.valueStart >= 0) {
      end = event.valueEnd;
      const isBlock = event.style >= SCALAR_STYLE.LITERAL_BLOCK;
      if (!inFlow)
        regions.push({ start: event.valueStart, end, minSpaces: isBlock ? Math.max(event.indent, 0) : 0 });
    } else if (event.type === EVENT_ID.POP) {
      const closed = open.pop();
      if (!closed?.isFlow) continue;
      // A pair in a list, `[a: b]`, has no bracket of its own: its end is then within that of the list.
      const bracket = text.slice(end).search(/[\]}]/);
      end += bracket + 1;
      if (open.at(-1)?.isFlow !== true) regions.push({ start: closed.start, end, minSpaces: 0 });
    }
  }
  return regions;
}
