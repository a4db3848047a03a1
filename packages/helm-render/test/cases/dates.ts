import { type CaseTable, go, sprig } from './case-table.ts';

/** `now` is 2026-11-20T10:00:00Z, a Friday. */
const leap = '(toDate "2006-01-02" "2020-02-29")';
const clock = '(toDate "2006-01-02T15:04:05.999Z07:00" "2020-02-09T03:04:05.678Z")';

export const dateTables: readonly CaseTable[] = [
  {
    source: sprig('date'),
    cases: [
      ['{{ now | date "2006-01-02" }}', '2026-11-20'],
      ['{{ now }}', '2026-11-20 10:00:00 +0000 UTC'],
      [`{{ date "2006-01-02" ${leap} }}`, '2020-02-29'],
      ['{{ date "2006-01-02 15:04:05" 86400 }} {{ date "2006" (int64 0) }}', '1970-01-02 00:00:00 1970'],
      ['{{ date "2006-01-02" "not a date" }}', '2026-11-20'],
      [
        `{{ dateInZone "2006-01-02 15:04" ${leap} "UTC" }} {{ date_in_zone "15:04 MST" ${leap} "" }}`,
        '2020-02-29 00:00 00:00 UTC',
      ],
      [`{{ dateInZone "15:04" ${leap} "Nowhere/Never" }}`, '00:00'],
      [`{{ dateModify "-1.5h" ${leap} }}`, '2020-02-28 22:30:00 +0000 UTC'],
      [`{{ ${leap} | date_modify "48h" | date "Jan 2" }}`, 'Mar 2'],
      [`{{ dateModify "nonsense" ${leap} }}`, '2020-02-29 00:00:00 +0000 UTC'],
      [`{{ htmlDate ${leap} }} {{ htmlDateInZone ${leap} "UTC" }}`, '2020-02-29 2020-02-29'],
      ['{{ ago now }}', '0s'],
      ['{{ ago (toDate "2006-01-02 15:04:05" "2026-11-20 08:58:59") }}', '1h1m1s'],
      ['{{ ago (toDate "2006-01-02" "2026-11-21") }}', '-14h0m0s'],
      ['{{ ago 1795168790 }}', '10s'],
      ['{{ toDate "2006-01-02" "2017-12-31" | date "02/01/2006" }}', '31/12/2017'],
      ['{{ toDate "2006-01-02" "nonsense" }}', '0001-01-01 00:00:00 +0000 UTC'],
      ['{{ unixEpoch now }} {{ unixEpoch (toDate "2006" "1969") }}', '1795168800 -31536000'],
      [
        '{{ now.Year }} {{ now.Month }} {{ now.Day }} {{ now.Weekday }} {{ now.YearDay }}',
        '2026 November 20 Friday 324',
      ],
      [
        '{{ now.Unix }} {{ now.UnixNano }} {{ now.Hour }}:{{ now.Minute }}:{{ now.Second }}',
        '1795168800 1795168800000000000 10:0:0',
      ],
      ['{{ now.Format "Mon" }} {{ now.IsZero }} {{ now.After (toDate "2006" "2020") }}', 'Fri false true'],
      ['{{ now.Sub (toDate "2006-01-02" "2026-11-20") }}', '10h0m0s'],
      ['{{ unixEpoch "x" }}', { error: 'can\'t handle "x" for arg of type time.Time' }],
    ],
  },
  {
    source: go('time#Layout'),
    cases: [
      [`{{ date "Mon Monday Jan January" ${clock} }}`, 'Sun Sunday Feb February'],
      [`{{ date "1 01 2 02 _2 06 2006" ${clock} }}`, '2 02 9 09  9 20 2020'],
      [`{{ date "3 03 15 4 04 5 05 PM pm" ${clock} }}`, '3 03 03 4 04 5 05 AM am'],
      [
        '{{ date "3 03 15 PM pm" (toDate "15" "00") }} {{ date "3 15 PM" (toDate "15" "13") }}',
        '12 12 00 AM am 1 13 PM',
      ],
      [`{{ date ".0 .000 .000000 .9 .999999 ,000" ${clock} }}`, '.6 .678 .678000 .6 .678 ,000'],
      ['{{ date "05.999 05.000" (toDate "05" "07") }}', '07 07.000'],
      [`{{ date "002 __2" ${clock} }}`, '040  40'],
      [`{{ date "-07 -0700 -07:00 Z07 Z0700 Z07:00 MST" ${clock} }}`, '+00 +0000 +00:00 Z Z Z UTC'],
      [`{{ date "_2006 Janet Monde" ${clock} }}`, '_2020 Janet Monde'],
      [`{{ date "Day: 2, é✓" ${clock} }}`, 'Day: 9, é✓'],
      [
        '{{ toDate "2006-01-02T15:04:05Z07:00" "2020-01-01T12:00:00+02:00" }}',
        '2020-01-01 12:00:00 +0200 +0200',
      ],
      ['{{ toDate "2006-01-02T15:04:05Z07:00" "2020-01-01T12:00:00+02:00" | date "15:04" }}', '10:00'],
      ['{{ toDate "2006-01-02T15:04:05Z07:00" "2020-01-01T12:00:00Z" }}', '2020-01-01 12:00:00 +0000 UTC'],
      ['{{ toDate "Jan _2 2006 3:04PM" "Feb  9 2021 1:05PM" }}', '2021-02-09 13:05:00 +0000 UTC'],
      ['{{ toDate "January 2, 2006" "march 7, 2022" | htmlDate }}', '2022-03-07'],
      ['{{ toDate "06 002" "21 060" | htmlDate }} {{ toDate "06" "70" | date "2006" }}', '2021-03-01 1970'],
      ['{{ toDate "15:04:05" "01:02:03.456" }}', '0000-01-01 01:02:03.456 +0000 UTC'],
      [
        '{{ (toDate "2006-01-02" "2021-02-29").IsZero }} {{ (toDate "2006-01-02" "2021-13-01").IsZero }}',
        'true true',
      ],
      [
        '{{ (toDate "2006-01-02" "2021-2-1").IsZero }} {{ (toDate "2006-1-2" "2021-2-1").IsZero }}',
        'true false',
      ],
      ['{{ (toDate "2006-01-02" "2021-02-01x").IsZero }} {{ (toDate "2006-01-02" "").IsZero }}', 'true true'],
    ],
  },
  {
    source: go('time#ParseDuration'),
    cases: [
      [`{{ dateModify "1h15m30.918273645s" ${leap} }}`, '2020-02-29 01:15:30.918273645 +0000 UTC'],
      [`{{ dateModify "1ms2us3ns" ${leap} }}`, '2020-02-29 00:00:00.001002003 +0000 UTC'],
      [
        `{{ dateModify "+5m" ${leap} | date "15:04" }} {{ dateModify "0" ${leap} | date "15:04" }}`,
        '00:05 00:00',
      ],
      [
        `{{ dateModify ".5h" ${leap} | date "15:04" }} {{ dateModify "5" ${leap} | date "15:04" }}`,
        '00:30 00:00',
      ],
      [`{{ (dateModify "1.5s" now).Sub now }} {{ (dateModify "250ms" now).Sub now }}`, '1.5s 250ms'],
      [`{{ (dateModify "15us" now).Sub now }} {{ (dateModify "-3ns" now).Sub now }}`, '15µs -3ns'],
    ],
  },
];
