/** Milliseconds, so that `90s`, `1m30s` and `0.5h` are all read; the largest unit first, as durations are written. */
const durationUnits = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 } as const;
const byteUnits = { GiB: 1024 ** 3, MiB: 1024 ** 2, KiB: 1024, B: 1 } as const;

/**
 * `5m`, `30s`, `1h30m`, `250ms`, or `0` in milliseconds.
 * @throws Error for anything else; a bare number other than 0 is refused, because its unit would be a guess
 */
export function parseDuration(text: string): number {
  if (text === '0') return 0;
  if (!/^(?:\d+(?:\.\d+)?(?:h|ms|m|s))+$/.test(text)) {
    throw new Error(`${JSON.stringify(text)} is not a duration such as 30s, 5m or 1h30m`);
  }
  let totalMs = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(h|ms|m|s)/g)) {
    totalMs += Number(amount) * durationUnits[unit as keyof typeof durationUnits];
  }
  return Math.round(totalMs);
}

/** The shortest text that `parseDuration` reads back as the same number of milliseconds. */
export function formatDuration(durationMs: number): string {
  let rest = durationMs;
  let text = '';
  for (const [unit, unitMs] of Object.entries(durationUnits)) {
    const amount = Math.floor(rest / unitMs);
    if (amount > 0) text += `${amount}${unit}`;
    rest -= amount * unitMs;
  }
  return text || '0s';
}

/**
 * `32MiB`, `64KiB`, `1GiB`, `512B`, or a bare number of bytes.
 * @throws Error for anything else; MB and M are refused rather than guessed to be 1000 or 1024 based
 */
export function parseBytes(text: string): number {
  const match = /^(\d+)(GiB|MiB|KiB|B)?$/.exec(text);
  if (!match) throw new Error(`${JSON.stringify(text)} is not a size such as 512KiB or 32MiB`);
  return Number(match[1]) * byteUnits[(match[2] ?? 'B') as keyof typeof byteUnits];
}

/** The size in the largest unit that divides it. */
export function formatBytes(bytes: number): string {
  for (const [unit, unitBytes] of Object.entries(byteUnits)) {
    if (bytes >= unitBytes && bytes % unitBytes === 0) return `${bytes / unitBytes}${unit}`;
  }
  return '0B';
}
