/** One line of the benchmark's table. What a case has no figure for stays empty. */
export type Row = {
  case: string;
  /** Ours, or the peer. */
  side: string;
  /** Of the processor: other work on the machine disturbs it less than the clock. */
  cpuSeconds?: number | undefined;
  /** Ours over theirs; below 1 we are faster. */
  ratio?: number | undefined;
  /** What the time bought: an error, a rate, an agreement. */
  figure?: string | undefined;
  peakMb?: number | undefined;
};

const columns = ['case', 'side', 'processor s', 'ours / theirs', 'figure', 'peak MB'];

/** Begins the table, unless this is a part of a table that has begun (`bench/run.ts`). */
export function begin(): void {
  if (process.env['BENCH_PART'] === undefined) header();
}

export function header(): void {
  console.log(`| ${columns.join(' | ')} |\n|${columns.map(() => '---').join('|')}|`);
}

export function print({ case: name, side, cpuSeconds, ratio, figure = '', peakMb }: Row): void {
  const cells = [name, side, digits(cpuSeconds, 2), digits(ratio, 2), figure, digits(peakMb, 0)];
  console.log(`| ${cells.join(' | ')} |`);
}

const digits = (value: number | undefined, decimals: number) => (value === undefined ? '' : value.toFixed(decimals));
