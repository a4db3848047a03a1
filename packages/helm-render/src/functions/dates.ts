/** Sprig's dates. https://masterminds.github.io/sprig/date.html */
import { bytesToUtf8, utf8ToBytes } from '../go/bytes.ts';
import type { Functions } from '../go/function.ts';
import { type CallContext, type GoFunction, goFunction } from '../go/function.ts';
import { GoInteger, GoStruct, type GoValue, int64 } from '../go/value.ts';
import { formatDuration, parseDuration } from './duration.ts';
import { GoTime, unixTime, zeroTime } from './go-time.ts';
import { dateParts, dayNames, formatTime, monthNames } from './time-format.ts';
import { parseTime } from './time-parse.ts';

const second = 1_000_000_000n;

/** A layout and a time are byte strings in templates. */
function format(time: GoTime, layout: GoValue): string {
  return utf8ToBytes(formatTime(time, bytesToUtf8(layout as string)));
}

function named(type: string, text: string): GoStruct {
  return new GoStruct(type, { text: () => text });
}

function duration(nanoseconds: bigint): GoStruct {
  const text = utf8ToBytes(formatDuration(nanoseconds));
  const hours = Number(nanoseconds) / 3.6e12;
  const methods: [string, GoFunction][] = [
    ['String', goFunction([], () => text, { result: 'string' })],
    ['Seconds', goFunction([], () => hours * 3600, { result: 'float64' })],
    ['Minutes', goFunction([], () => hours * 60, { result: 'float64' })],
    ['Hours', goFunction([], () => hours, { result: 'float64' })],
  ];
  return new GoStruct('time.Duration', { methods, text: () => text, inner: nanoseconds });
}

/** A time.Time as a template sees it. */
function timeStruct(time: GoTime): GoStruct {
  const text = () => formatTime(time, '2006-01-02 15:04:05.999999999 -0700 MST');
  const parts = dateParts(time);
  const integer = (name: string, value: number): [string, GoFunction] => [
    name,
    goFunction([], () => BigInt(value), { result: 'int' }),
  ];
  const compare = (name: string, test: (other: bigint) => boolean): [string, GoFunction] => [
    name,
    goFunction(['time.Time'], ([other]) => test(timeOf(other!)!.nanoseconds), { result: 'bool' }),
  ];
  const moment = time.nanoseconds;
  const methods: [string, GoFunction][] = [
    ['String', goFunction([], text, { result: 'string' })],
    ['Format', goFunction(['string'], ([layout]) => format(time, layout!), { result: 'string' })],
    ['Unix', goFunction([], () => int64(time.unix), { result: 'int64' })],
    ['UnixMilli', goFunction([], () => int64(moment / 1_000_000n), { result: 'int64' })],
    ['UnixNano', goFunction([], () => int64(moment), { result: 'int64' })],
    integer('Year', parts.year),
    integer('Day', parts.day),
    integer('YearDay', parts.yearDay),
    integer('Hour', parts.hour),
    integer('Minute', parts.minute),
    integer('Second', parts.second),
    integer('Nanosecond', Number(time.fraction)),
    ['Month', goFunction([], () => named('time.Month', monthNames[parts.month - 1]!))],
    ['Weekday', goFunction([], () => named('time.Weekday', dayNames[parts.weekday]!))],
    ['IsZero', goFunction([], () => moment === zeroTime.nanoseconds, { result: 'bool' })],
    compare('After', other => moment > other),
    compare('Before', other => moment < other),
    compare('Equal', other => moment === other),
    ['Sub', goFunction(['time.Time'], ([other]) => duration(moment - timeOf(other!)!.nanoseconds))],
    ['UTC', goFunction([], () => timeStruct(time.inUtc()), { result: 'time.Time' })],
    ['Local', goFunction([], () => timeStruct(time.inUtc()), { result: 'time.Time' })],
  ];
  const json = () => formatTime(time, '2006-01-02T15:04:05.999999999Z07:00');
  return new GoStruct('time.Time', { methods, text, json, inner: time });
}

/** The moment in a time.Time, or in seconds since 1970 given as int, int32 or int64. */
function timeOf(value: GoValue): GoTime | undefined {
  if (value instanceof GoStruct && value.inner instanceof GoTime) return value.inner;
  if (typeof value === 'bigint') return unixTime(value);
  const seconds = value instanceof GoInteger && (value.kind === 'int64' || value.kind === 'int32');
  return seconds ? unixTime(value.value) : undefined;
}

function nowOf(context: CallContext): GoTime {
  return new GoTime(BigInt(context.now.getTime()) * 1_000_000n);
}

/** What is no date counts as now. Every zone a chart can name is UTC here; see GoTime. */
function inZone(value: GoValue, context: CallContext): GoTime {
  return (timeOf(value) ?? nowOf(context)).inUtc();
}

function ago(value: GoValue, context: CallContext): string {
  const passed = nowOf(context).nanoseconds - (timeOf(value) ?? nowOf(context)).nanoseconds;
  const half = passed < 0n ? -second / 2n : second / 2n;
  // A difference beyond 64 bits is the greatest there is.
  const limit = (1n << 63n) - 1n;
  if (passed > limit || passed < -limit) return formatDuration(passed < 0n ? -limit - 1n : limit);
  return formatDuration(((passed + half) / second) * second);
}

function modify(text: GoValue, time: GoValue): GoValue {
  const change = parseDuration(bytesToUtf8(text as string));
  const moment = timeOf(time)!;
  if (change === undefined) return time;
  return timeStruct(new GoTime(moment.nanoseconds + change, moment.offsetSeconds, moment.zone));
}

const date = goFunction(
  ['string', 'interface {}'],
  ([layout, value], context) => format(inZone(value!, context), layout!),
  { result: 'string' },
);
const dateInZone = goFunction(
  ['string', 'interface {}', 'string'],
  ([layout, value], context) => format(inZone(value!, context), layout!),
  { result: 'string' },
);
const dateModify = goFunction(['string', 'time.Time'], ([change, value]) => modify(change!, value!), {
  result: 'time.Time',
});
const htmlDate = (more: string[]) =>
  goFunction(
    ['interface {}', ...more],
    ([value], context) => formatTime(inZone(value!, context), '2006-01-02'),
    { result: 'string' },
  );

export const dateFunctions: Functions = [
  ['now', goFunction([], (_args, context) => timeStruct(nowOf(context)), { result: 'time.Time' })],
  ['date', date],
  ['dateInZone', dateInZone],
  ['date_in_zone', dateInZone],
  ['dateModify', dateModify],
  ['date_modify', dateModify],
  ['htmlDate', htmlDate([])],
  ['htmlDateInZone', htmlDate(['string'])],
  [
    'ago',
    goFunction(['interface {}'], ([value], context) => utf8ToBytes(ago(value!, context)), {
      result: 'string',
    }),
  ],
  [
    'toDate',
    goFunction(
      ['string', 'string'],
      ([layout, text]) =>
        timeStruct(parseTime(bytesToUtf8(layout as string), bytesToUtf8(text as string)) ?? zeroTime),
      { result: 'time.Time' },
    ),
  ],
  ['unixEpoch', goFunction(['time.Time'], ([value]) => String(timeOf(value!)!.unix), { result: 'string' })],
];
