import type { GoTime } from './go-time.ts';

/** What a Go layout is made of: the parts of the reference time, `Mon Jan 2 15:04:05 MST 2006`. */
export const layoutParts =
  /January|Jan(?![a-z])|Monday|Mon(?![a-z])|MST|002|0[1-6]|15|1|2006|2|__2|_2(?!006)|3|4|5|PM|pm|[-Z]07(?:0000|:00:00|00|:00)?|\.0+(?!\d)|\.9+(?!\d)/g;

export const monthNames = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];
export const dayNames = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];

/** A moment's date and clock in its zone. */
export interface DateParts {
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly weekday: number;
  readonly yearDay: number;
}

export function dateParts(time: GoTime): DateParts {
  const date = new Date(Number(time.unix + BigInt(time.offsetSeconds)) * 1000);
  // Beyond the range of a Date (some 275,000 years) there is nothing sensible to show.
  if (Number.isNaN(date.getTime())) return dateParts({ ...time, unix: 0n, offsetSeconds: 0 } as GoTime);
  const year = date.getUTCFullYear();
  const newYear = new Date(date);
  newYear.setUTCMonth(0, 1);
  return {
    year,
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    hour: date.getUTCHours(),
    minute: date.getUTCMinutes(),
    second: date.getUTCSeconds(),
    weekday: date.getUTCDay(),
    yearDay: Math.round((date.getTime() - newYear.getTime()) / 86_400_000) + 1,
  };
}

/** Time.Format. https://pkg.go.dev/time#Layout */
export function formatTime(time: GoTime, layout: string): string {
  const parts = dateParts(time);
  return layout.replace(layoutParts, part => formatPart(part, parts, time));
}

function pad(value: number, width: number, fill = '0'): string {
  const sign = value < 0 ? '-' : '';
  return sign + String(Math.abs(value)).padStart(width, fill);
}

function formatPart(part: string, parts: DateParts, time: GoTime): string {
  const hour12 = parts.hour % 12 || 12;
  switch (part) {
    case '2006':
      return pad(parts.year, 4);
    case '06':
      return pad(((parts.year % 100) + 100) % 100, 2);
    case 'January':
      return monthNames[parts.month - 1]!;
    case 'Jan':
      return monthNames[parts.month - 1]!.slice(0, 3);
    case '1':
      return String(parts.month);
    case '01':
      return pad(parts.month, 2);
    case 'Monday':
      return dayNames[parts.weekday]!;
    case 'Mon':
      return dayNames[parts.weekday]!.slice(0, 3);
    case '2':
      return String(parts.day);
    case '_2':
      return pad(parts.day, 2, ' ');
    case '02':
      return pad(parts.day, 2);
    case '__2':
      return pad(parts.yearDay, 3, ' ');
    case '002':
      return pad(parts.yearDay, 3);
    case '15':
      return pad(parts.hour, 2);
    case '3':
      return String(hour12);
    case '03':
      return pad(hour12, 2);
    case '4':
      return String(parts.minute);
    case '04':
      return pad(parts.minute, 2);
    case '5':
      return String(parts.second);
    case '05':
      return pad(parts.second, 2);
    case 'PM':
      return parts.hour >= 12 ? 'PM' : 'AM';
    case 'pm':
      return parts.hour >= 12 ? 'pm' : 'am';
    case 'MST':
      return time.zone || formatOffset('-0700', time.offsetSeconds);
    default:
      return part[0] === '.' ? formatFraction(part, time) : formatOffset(part, time.offsetSeconds);
  }
}

/** `.000` shows that many digits, `.999` as many as there are up to its own number. */
function formatFraction(part: string, time: GoTime): string {
  const digits = String(time.fraction)
    .padStart(9, '0')
    .padEnd(part.length - 1, '0')
    .slice(0, part.length - 1);
  if (part[1] === '0') return part[0] + digits;
  const short = digits.replace(/0+$/, '');
  return short === '' ? '' : part[0] + short;
}

/** `-0700`, `-07:00`, `Z07:00` and their kin: `Z` stands for no offset where the part begins with it. */
function formatOffset(part: string, offsetSeconds: number): string {
  if (part[0] === 'Z' && offsetSeconds === 0) return 'Z';
  const size = Math.abs(offsetSeconds);
  const hours = pad(Math.trunc(size / 3600), 2);
  const minutes = pad(Math.trunc(size / 60) % 60, 2);
  const seconds = pad(size % 60, 2);
  const sign = offsetSeconds < 0 ? '-' : '+';
  const colon = part.includes(':') ? ':' : '';
  if (part.length === 3) return sign + hours;
  const text = `${sign}${hours}${colon}${minutes}`;
  return part.length > 6 ? `${text}${colon}${seconds}` : text;
}
