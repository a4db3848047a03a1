/** 0001-01-01T00:00:00Z and 9999-12-31T23:59:59Z: what RFC 3339 and google.protobuf.Timestamp can hold. */
const firstSecond = -62_135_596_800n;
const lastSecond = 253_402_300_799n;

/**
 * `google.protobuf.Timestamp` as RFC 3339 in UTC with 0, 3, 6 or 9 digits of a second, as many as it needs.
 * Source: https://protobuf.dev/programming-guides/json/
 * @param seconds since 1970
 * @param nanos 0 to 999,999,999
 * @returns undefined when it is out of that type's range
 */
export function timestampToText(seconds: bigint, nanos: number): string | undefined {
  if (seconds < firstSecond || seconds > lastSecond || nanos < 0 || nanos > 999_999_999) return undefined;
  const whole = new Date(Number(seconds) * 1000).toISOString().slice(0, 19);
  if (nanos === 0) return `${whole}Z`;
  const digits = String(nanos).padStart(9, '0');
  const needed = digits.endsWith('000000') ? 3 : digits.endsWith('000') ? 6 : 9;
  return `${whole}.${digits.slice(0, needed)}Z`;
}

const pattern = /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:[Zz]|([+-])(\d\d):(\d\d))$/;

/**
 * RFC 3339 → seconds and nanoseconds.
 * @returns undefined when the text is not such a time
 */
export function textToTimestamp(text: string): { seconds: bigint; nanos: number } | undefined {
  const match = pattern.exec(text);
  if (!match) return undefined;
  const [, year, month, day, hour, minute, second, fraction = '', sign, offsetHour, offsetMinute] = match;
  const milliseconds = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  if (Number.isNaN(milliseconds)) return undefined;
  const offsetSeconds = sign
    ? (Number(offsetHour) * 60 + Number(offsetMinute)) * (sign === '-' ? -60 : 60)
    : 0;
  const seconds = BigInt(milliseconds / 1000 - offsetSeconds);
  if (seconds < firstSecond || seconds > lastSecond) return undefined;
  return { seconds, nanos: Number(fraction.padEnd(9, '0')) };
}
