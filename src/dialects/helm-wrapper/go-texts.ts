import { invalidArgument } from '../../protocol/index.ts';

/* What Go's standard library reads and writes where helm-wrapper's clients see it, texts of errors included. */

const nanosOfUnit: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  μs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};

/** Go's durations are 64 bits of nanoseconds. */
const maxNanos = 2 ** 63;

/**
 * A duration such as `5m0s`, in nanoseconds (time.ParseDuration).
 * @throws GatewayError INVALID_ARGUMENT with Go's text
 */
export function parseDuration(text: string): number {
  const shown = JSON.stringify(text.slice(0, 100));
  const refuse = (what: string) => invalidArgument(`time: ${what} ${shown}`);
  const [, sign = '', rest = ''] = /^([+-]?)(.*)$/s.exec(text) ?? [];
  if (rest === '0') return 0;
  if (rest === '') throw refuse('invalid duration');
  let nanos = 0;
  for (let left = rest; left !== ''; ) {
    const [part, number = '', unit = ''] = /^(\d+(?:\.\d*)?|\.\d+)([^\d.]*)/.exec(left) ?? [''];
    if (part === '' || part.length > 100) throw refuse('invalid duration');
    if (unit === '') throw refuse('missing unit in duration');
    const factor = Object.hasOwn(nanosOfUnit, unit) ? nanosOfUnit[unit]! : undefined;
    if (factor === undefined) throw refuse(`unknown unit ${JSON.stringify(unit)} in duration`);
    nanos += Number(number) * factor;
    left = left.slice(part.length);
  }
  if (!(nanos < maxNanos)) throw refuse('invalid duration');
  return sign === '-' ? -nanos : nanos;
}

/**
 * A whole number of 32 bits, which a revision is (strconv.Atoi).
 * @throws GatewayError INVALID_ARGUMENT with Go's text
 */
export function parseRevision(text: string): number {
  const refuse = (what: string) =>
    invalidArgument(`strconv.Atoi: parsing ${JSON.stringify(text.slice(0, 100))}: ${what}`);
  if (!/^[+-]?\d+$/.test(text)) throw refuse('invalid syntax');
  const value = Number(text);
  if (Math.abs(value) >= 2 ** 31) throw refuse('value out of range');
  return value;
}

/** A point in time as protobuf has it. */
export interface Instant {
  readonly seconds: number;
  readonly nanos: number;
}

/** `2026-11-26T15:20:07.20760071Z` (RFC 3339), or nothing for no time, as Helm's own type of time becomes JSON. */
export function toRfc3339(time: Instant | null | undefined): string {
  const [date, clock] = textsOf(time);
  return date === undefined ? '' : `${date}T${clock}Z`;
}

/** `2026-11-26 15:20:07.20760071 +0000 UTC` (time.Time.String), or a dash for no time. */
export function toGoTime(time: Instant | null | undefined): string {
  const [date, clock] = textsOf(time);
  return date === undefined ? '-' : `${date} ${clock} +0000 UTC`;
}

/** Zeros at the end of the fraction are left out. Nothing for no time. */
function textsOf(time: Instant | null | undefined): [date: string, clock: string] | [] {
  const { seconds, nanos } = time ?? { seconds: 0, nanos: 0 };
  if (seconds === 0 && nanos === 0) return [];
  const fraction = nanos === 0 ? '' : `.${String(nanos).padStart(9, '0').replace(/0+$/, '')}`;
  const text = new Date(seconds * 1000).toISOString();
  return [text.slice(0, -14), `${text.slice(-13, -5)}${fraction}`];
}
