import { say } from '../governance/text.ts';
import type { ActualExpectedRow } from '../ml/metrics/actual-expected.ts';
import type { Estimate } from '../ml/metrics/metric.ts';
import type { Evaluation } from '../ml/suite/evaluate.ts';
import type { Output } from './output.ts';

/** Prints an evaluation: its metrics beside the best constant, then the actuary's tables where there are some. */
export function printEvaluation(output: Output, { metrics, actuarial }: Evaluation): void {
  output.table(
    ['metric', 'value', '95 % from', 'to', 'constant', 'better'],
    metrics.map(({ title, estimate, ofConstant, better }) => [
      title,
      ...cells(estimate),
      figure(ofConstant),
      typeof better === 'object' ? say(better.target) : better,
    ]),
  );
  if (!actuarial) return;
  const { gini, balance, murphy, byPrediction, byColumn, family } = actuarial;
  output.print();
  output.print(`Gini ${say(gini.value.value)}, standard error ${say(gini.standardError)}.`);
  output.print(`Actual over expected ${say(balance.value)} (${say(balance.low)} to ${say(balance.high)}).`);
  output.print(
    `${family} deviance ${say(murphy.score)} = miscalibration ${say(murphy.miscalibration)} − discrimination ` +
      `${say(murphy.discrimination)} + uncertainty ${say(murphy.uncertainty)}.`,
  );
  output.print();
  printGroups(output, 'tenth', byPrediction);
  for (const { column, groups } of byColumn) {
    output.print();
    printGroups(output, column, groups);
  }
}

function printGroups(output: Output, heading: string, groups: readonly ActualExpectedRow[]): void {
  output.table(
    [heading, 'rows', 'exposure', 'actual', 'expected', 'A/E', '95 % from', 'to', 'lift'],
    groups.map(({ group, rows, exposure, meanActual, meanPredicted, actualOverExpected, lift }) => [
      group,
      say(rows),
      say(exposure),
      say(meanActual),
      say(meanPredicted),
      ...cells(actualOverExpected),
      say(lift),
    ]),
  );
}

/** Value, low and high of an estimate, one cell each. */
export function cells({ value, low, high }: Estimate): string[] {
  return [figure(value), figure(low), figure(high)];
}

/** What differs from nothing by rounding errors only is nothing. */
const figure = (value: number) => say(Math.abs(value) < 1e-9 ? 0 : value);
