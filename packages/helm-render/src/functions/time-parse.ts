import { GoTime } from './go-time.ts';
import { dayNames, layoutParts, monthNames } from './time-format.ts';

/** What has been read so far. */
interface Fields {
  year: number;
  month: number;
  day: number;
  yearDay: number | undefined;
  hour: number;
  afternoon: boolean | undefined;
  minute: number;
  second: number;
  nanoseconds: bigint;
  offsetSeconds: number | undefined;
  zone: string;
}

/** How a part of a layout is read: what may stand there, and what it says; false where it is out of range. */
type Reader = readonly [pattern: RegExp, read: (text: string, fields: Fields) => boolean];

function number(
  pattern: RegExp,
  least: number,
  most: number,
  put: (value: number, fields: Fields) => void,
): Reader {
  return [
    pattern,
    (text, fields) => {
      const value = Number(text);
      put(value, fields);
      return value >= least && value <= most;
    },
  ];
}

function name(names: readonly string[], put: (index: number, fields: Fields) => void): Reader {
  return [
    new RegExp(names.join('|'), 'iy'),
    (text, fields) => {
      put(
        names.findIndex(each => each.toLowerCase() === text.toLowerCase()),
        fields,
      );
      return true;
    },
  ];
}

const short = (names: readonly string[]) => names.map(each => each.slice(0, 3));
const setMonth = (index: number, fields: Fields) => {
  fields.month = index + 1;
};
const ignore = () => {};
const one = /\d{1,2}/y;
const two = /\d\d/y;
const day = (value: number, fields: Fields) => {
  fields.day = value;
};
const hour = (value: number, fields: Fields) => {
  fields.hour = value;
};
const minute = (value: number, fields: Fields) => {
  fields.minute = value;
};
const secondOf = (value: number, fields: Fields) => {
  fields.second = value;
};

const readers = new Map<string, Reader>([
  [
    '2006',
    number(/\d{4}/y, 0, 9999, (value, fields) => {
      fields.year = value;
    }),
  ],
  [
    '06',
    number(two, 0, 99, (value, fields) => {
      fields.year = value >= 69 ? value + 1900 : value + 2000;
    }),
  ],
  ['January', name(monthNames, setMonth)],
  ['Jan', name(short(monthNames), setMonth)],
  [
    '1',
    number(one, 1, 12, (value, fields) => {
      fields.month = value;
    }),
  ],
  [
    '01',
    number(two, 1, 12, (value, fields) => {
      fields.month = value;
    }),
  ],
  ['Monday', name(dayNames, ignore)],
  ['Mon', name(short(dayNames), ignore)],
  ['2', number(one, 1, 31, day)],
  ['_2', number(/ ?\d{1,2}/y, 1, 31, day)],
  ['02', number(two, 1, 31, day)],
  [
    '__2',
    number(/ {0,2}\d{1,3}/y, 1, 366, (value, fields) => {
      fields.yearDay = value;
    }),
  ],
  [
    '002',
    number(/\d{3}/y, 1, 366, (value, fields) => {
      fields.yearDay = value;
    }),
  ],
  ['15', number(one, 0, 23, hour)],
  ['3', number(one, 0, 12, hour)],
  ['03', number(two, 0, 12, hour)],
  ['4', number(one, 0, 59, minute)],
  ['04', number(two, 0, 59, minute)],
  ['5', number(one, 0, 59, secondOf)],
  ['05', number(two, 0, 59, secondOf)],
  [
    'PM',
    [
      /AM|PM/y,
      (text, fields) => {
        fields.afternoon = text === 'PM';
        return true;
      },
    ],
  ],
  [
    'pm',
    [
      /am|pm/y,
      (text, fields) => {
        fields.afternoon = text === 'pm';
        return true;
      },
    ],
  ],
  [
    'MST',
    [
      /UTC|[A-Z]{3,5}(?:[-+]\d{1,2})?|[-+]\d\d/y,
      (text, fields) => {
        fields.zone = text;
        return true;
      },
    ],
  ],
]);

/** time.Parse in UTC; undefined where the text does not follow the layout or names no real moment. */
export function parseTime(layout: string, text: string): GoTime | undefined {
  const fields: Fields = {
    year: 0,
    month: 1,
    day: 1,
    yearDay: undefined,
    hour: 0,
    afternoon: undefined,
    minute: 0,
    second: 0,
    nanoseconds: 0n,
    offsetSeconds: undefined,
    zone: '',
  };
  let layoutEnd = 0;
  let position: number | undefined = 0;
  for (const match of layout.matchAll(layoutParts)) {
    position = skipLiteral(layout.slice(layoutEnd, match.index), text, position);
    layoutEnd = match.index + match[0].length;
    position =
      position === undefined ? undefined : readPart(match[0], layout[layoutEnd], text, position, fields);
    if (position === undefined) return undefined;
  }
  position = skipLiteral(layout.slice(layoutEnd), text, position);
  return position === text.length ? toTime(fields) : undefined;
}

/** Steps over text that stands in the layout; a run of spaces there may be of any length. */
function skipLiteral(literal: string, text: string, start: number): number | undefined {
  let position = start;
  for (const char of literal) {
    if (char === ' ') {
      if (position < text.length && text[position] !== ' ') return undefined;
      while (text[position] === ' ') position++;
    } else if (text[position++] !== char) return undefined;
  }
  return position;
}

function readPart(
  part: string,
  nextInLayout: string | undefined,
  text: string,
  position: number,
  fields: Fields,
): number | undefined {
  const reader = readers.get(part) ?? (part.startsWith('.') ? fractionReader(part) : offsetReader(part));
  const end = match(reader, text, position, fields);
  if (end === undefined) return part.startsWith('.9') ? position : undefined;
  // Behind the seconds a fraction may stand that the layout does not name.
  const takesFraction = (part === '5' || part === '05') && nextInLayout !== '.';
  return takesFraction ? (match(fractionReader('.9'), text, end, fields) ?? end) : end;
}

function match([pattern, read]: Reader, text: string, position: number, fields: Fields): number | undefined {
  pattern.lastIndex = position;
  const matched = pattern.exec(text)?.[0];
  return matched !== undefined && read(matched, fields) ? position + matched.length : undefined;
}

function fractionReader(part: string): Reader {
  // More digits than any text could reasonably have would only make a pattern too large to compile.
  const digits = part[1] === '0' ? `{${Math.min(part.length - 1, 1_000)}}` : '+';
  return [
    new RegExp(`\\.\\d${digits}`, 'y'),
    (matched, fields) => {
      fields.nanoseconds = BigInt(matched.slice(1, 10).padEnd(9, '0'));
      return true;
    },
  ];
}

function offsetReader(part: string): Reader {
  const shape = part.slice(1).replace(/\d\d/g, '\\d\\d');
  const zulu = part[0] === 'Z' ? 'Z|' : '';
  return [
    new RegExp(`${zulu}[-+]${shape}`, 'y'),
    (matched, fields) => {
      const [hours = 0, minutes = 0, seconds = 0] = (matched.match(/\d\d/g) ?? []).map(Number);
      const size = hours * 3600 + minutes * 60 + seconds;
      fields.offsetSeconds = matched.startsWith('-') ? -size : size;
      return hours <= 24 && minutes < 60 && seconds < 60;
    },
  ];
}

function toTime(fields: Fields): GoTime | undefined {
  const { year, minute, second } = fields;
  const month = fields.yearDay === undefined ? fields.month : 1;
  const dayOfMonth = fields.yearDay ?? fields.day;
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, dayOfMonth);
  const exists =
    fields.yearDay === undefined ? date.getUTCDate() === dayOfMonth : date.getUTCFullYear() === year;
  if (!exists) return undefined;
  let { hour } = fields;
  if (fields.afternoon === true && hour < 12) hour += 12;
  if (fields.afternoon === false && hour === 12) hour = 0;
  date.setUTCHours(hour, minute, second);
  const offset = fields.offsetSeconds ?? 0;
  const nanoseconds = (BigInt(date.getTime()) - BigInt(offset) * 1000n) * 1_000_000n + fields.nanoseconds;
  const zone = fields.zone || (offset === 0 ? 'UTC' : '');
  return new GoTime(nanoseconds, offset, zone);
}
