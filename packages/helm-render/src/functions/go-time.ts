const second = 1_000_000_000n;

/**
 * A moment as Go's time.Time holds it: nanoseconds since 1970 and a zone. The only zone that has a name is UTC: Tiller's
 * image has no time zone data and runs in UTC, so any other zone that a chart names is UTC there too; an offset that was
 * parsed has no name.
 */
export class GoTime {
  readonly nanoseconds: bigint;
  readonly offsetSeconds: number;
  readonly zone: string;

  constructor(nanoseconds: bigint, offsetSeconds = 0, zone = 'UTC') {
    this.nanoseconds = nanoseconds;
    this.offsetSeconds = offsetSeconds;
    this.zone = zone;
  }

  /** Seconds since 1970, rounded down. */
  get unix(): bigint {
    return (this.nanoseconds - this.fraction) / second;
  }

  /** Nanoseconds within the second. */
  get fraction(): bigint {
    return ((this.nanoseconds % second) + second) % second;
  }

  inUtc(): GoTime {
    return new GoTime(this.nanoseconds);
  }
}

/** January 1 of year 1: Go's zero time. */
export const zeroTime = new GoTime(-62_135_596_800n * second);

/** A moment given in seconds since 1970. */
export function unixTime(seconds: bigint): GoTime {
  return new GoTime(seconds * second);
}
