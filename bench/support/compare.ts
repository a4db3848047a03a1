import type { GatewayProcess } from './gateway-process.ts';

/** One of the things that are compared. */
export interface Variant {
  readonly name: string;
  /** @param worker counts the calls that run at the same time */
  call(worker: number): Promise<unknown>;
  /** The gateway that does the work, so that its processor time is measured too. */
  readonly gateway?: GatewayProcess | undefined;
}

export interface Rounds {
  readonly workers: number;
  readonly roundMs: number;
  readonly rounds: number;
}

interface Figures {
  /** Calls a second. */
  rate: number;
  /** Milliseconds of processor time that the gateway takes for a call. */
  cpuMs: number;
}

/**
 * Measures the variants in turns and prints the best round of each, since noise only ever slows down. Ratios are of the
 * first to each other: above 1 it is faster, or takes less.
 */
export async function compare(title: string, variants: readonly Variant[], rounds: Rounds): Promise<void> {
  const best = variants.map(() => ({ rate: 0, cpuMs: Number.POSITIVE_INFINITY }));
  for (const variant of variants) await measure(variant, { ...rounds, roundMs: rounds.roundMs / 4 });
  for (let round = 0; round < rounds.rounds; round++) {
    for (const [index, variant] of variants.entries()) {
      const { rate, cpuMs } = await measure(variant, rounds);
      const so = best[index]!;
      so.rate = Math.max(so.rate, rate);
      so.cpuMs = Math.min(so.cpuMs, cpuMs);
    }
  }
  console.log(`${title}, ${rounds.workers} at a time`);
  const [first] = best as [Figures];
  for (const [index, { name }] of variants.entries()) {
    const { rate, cpuMs } = best[index]!;
    const speed = `${rate.toFixed(1).padStart(8)}/s${index > 0 ? ratio(first.rate / rate) : ''.padEnd(8)}`;
    const cpu = Number.isFinite(cpuMs)
      ? `${cpuMs.toFixed(3).padStart(9)} ms CPU${index > 0 ? ratio(cpuMs / first.cpuMs) : ''}`
      : '';
    console.log(`  ${name.padEnd(24)} ${speed} ${cpu}`);
  }
}

function ratio(value: number): string {
  return `  × ${value.toFixed(2)}`;
}

async function measure({ call, gateway }: Variant, { workers, roundMs }: Rounds): Promise<Figures> {
  const cpuBefore = (await gateway?.cpuMs()) ?? Number.NaN;
  const started = performance.now();
  let calls = 0;
  const work = async (_: unknown, worker: number) => {
    while (performance.now() - started < roundMs) {
      await call(worker);
      calls++;
    }
  };
  await Promise.all(Array.from({ length: workers }, work));
  const rate = (calls * 1000) / (performance.now() - started);
  const cpuMs = ((await gateway?.cpuMs()) ?? Number.NaN) - cpuBefore;
  return { rate, cpuMs: gateway ? cpuMs / calls : Number.POSITIVE_INFINITY };
}
