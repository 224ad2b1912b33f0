import type { Groups } from '../ml/metrics/actual-expected.ts';
import { type Comparison, type Direction, pairedBootstrap } from '../ml/metrics/bootstrap.ts';
import type { Metric } from '../ml/metrics/metric.ts';
import { takeRows as takeValues } from '../ml/tune/cross-validate.ts';
import type { GateResult } from './gate.ts';
import { say, sayEstimate, sayMetric, sayShare, startWithMetric, stored } from './text.ts';

/** What a challenger must show. Fixed, hashed and stored in the ledger before it is compared (`declareCriteria`). */
export type ComparisonCriteria = {
  /** The metric that decides, and the smallest improvement that is worth a change, in its unit. */
  metric: string;
  minimumUsefulEffect: number;
  /** Calibration may be worse by at most so much, in the metric's unit. */
  calibrationMetric: string;
  calibrationMargin: number;
  /** In no group may this metric be worse by more than that share of the champion's. */
  groupMetric: string;
  groupMargin: number;
  /** Groups of fewer rows are not judged, and named. */
  minGroupRows: number;
  confidence: number;
  resamples: number;
  seed: number;
  /** The one frozen test set, which neither of the two was trained on. */
  testDigest: string;
  testRows: number;
};

/**
 * Two points of A/E, a tenth of a group's error: what may be lost beside the gain. On fewer rows than that a tenth of the error
 * of a group is within chance, and nothing could be shown.
 */
export const standardMargins = { calibrationMargin: 0.02, groupMargin: 0.1, minGroupRows: 200 } as const;

/** Both predictions of the frozen test set: rows × outputs values, row-major. */
export type ComparisonData = {
  actual: Float64Array;
  /** @default 1 */
  outputs?: number;
  champion: Float64Array;
  challenger: Float64Array;
  /** Exposure. */
  weight?: Float64Array;
  /** The metrics that the criteria name; one may hold the predictions against something else than the labels. */
  metrics: Readonly<Record<string, { metric: Metric; better: Direction; actual?: Float64Array }>>;
  /** By sensitive column. */
  groups: Readonly<Record<string, Groups>>;
};

export type ChampionComparison = {
  promote: boolean;
  /** One sentence or more, with the numbers. */
  reason: string;
  testRows: number;
  /** The first one decides; the second is the calibration. Improvements are positive where the challenger is better. */
  metrics: ({ name: string; better: Direction } & Comparison)[];
  groups: ({ column: string; group: string; rows: number; passed: boolean } & Comparison)[];
  /** Too small to be judged: `region = west (8 rows)`. */
  suppressedGroups: string[];
  /** The gates `beatsChampion`, `calibrationNotWorse` and `groupsNotWorse`. */
  checks: GateResult[];
};

/** Thrown when the criteria cannot be applied to the data: another test set, an unknown metric. */
export class CriteriaMismatch extends Error {
  override name = 'CriteriaMismatch';
}

/**
 * The challenger against the champion, by paired bootstrap on the same rows. It must be better for sure (the interval of its
 * improvement lies above zero) and usefully so, and not worse than the margins in calibration and in every group (the low end
 * of each improvement lies above minus the margin). Throws `CriteriaMismatch`.
 */
export function compareWithChampion(criteria: ComparisonCriteria, data: ComparisonData): ChampionComparison {
  const { outputs = 1 } = data;
  const rows = data.actual.length / outputs;
  if (rows !== criteria.testRows) {
    throw new CriteriaMismatch(
      `The criteria are declared for a test set of ${criteria.testRows} rows and the predictions are of ${rows}: ` +
        'compare on the declared test set.',
    );
  }
  const { metric, calibrationMetric } = criteria;
  const compared = bootstrapOf([metric, calibrationMetric], criteria, data);
  const deciding = compared[metric];
  const calibration = compared[calibrationMetric];
  const { groups, suppressedGroups } = compareGroups(criteria, data);

  const checks = [
    betterCheck(criteria, deciding),
    notWorseCheck(
      'calibrationNotWorse',
      `${sayMetric(calibrationMetric)} worse by at most ${say(criteria.calibrationMargin)}`,
      -criteria.calibrationMargin,
      calibration,
      `${startWithMetric(calibrationMetric)} improves by ${sayEstimate(calibration.improvement)}.`,
    ),
    groupCheck(criteria, groups, suppressedGroups),
  ];
  const promote = checks.every(({ passed }) => passed);
  const failed = checks.filter(({ passed }) => !passed);
  const why = (promote ? checks : failed).map(({ evidence }) => evidence.text).join(' ');
  return {
    promote,
    reason: `${promote ? 'Better than the champion.' : 'The champion stays.'} ${why}`,
    testRows: rows,
    metrics: [metric, calibrationMetric].map((name) => ({
      name,
      better: data.metrics[name].better,
      ...compared[name],
    })),
    groups,
    suppressedGroups,
    checks,
  };
}

function betterCheck(criteria: ComparisonCriteria, { improvement, champion, challenger }: Comparison): GateResult {
  const { metric, minimumUsefulEffect, testRows } = criteria;
  const sure = improvement.low > 0;
  const useful = improvement.value >= minimumUsefulEffect;
  const verdict = sure
    ? useful
      ? `at least the ${say(minimumUsefulEffect)} that a change is worth`
      : `less than the ${say(minimumUsefulEffect)} that a change is worth`
    : 'and that interval does not lie above zero';
  return {
    name: 'beatsChampion',
    passed: sure && useful,
    evidence: {
      value: stored(improvement.value),
      low: stored(improvement.low),
      high: stored(improvement.high),
      limit: minimumUsefulEffect,
      requirement: `${sayMetric(metric)} better for sure, by at least ${say(minimumUsefulEffect)}`,
      text:
        `${startWithMetric(metric)} goes from ${say(champion.value)} to ${say(challenger.value)} on ${say(testRows)} frozen test rows: ` +
        `an improvement of ${sayEstimate(improvement)}, ${verdict}.`,
      constantPasses: false,
    },
  };
}

function groupCheck(
  criteria: ComparisonCriteria,
  groups: ChampionComparison['groups'],
  suppressed: readonly string[],
): GateResult {
  const { groupMetric, groupMargin } = criteria;
  const relative = ({ champion, improvement }: Comparison) => improvement.low / Math.abs(champion.value);
  const worst = groups.reduce<(typeof groups)[number] | undefined>(
    (found, group) => (found && relative(found) <= relative(group) ? found : group),
    undefined,
  );
  const left = suppressed.length > 0 ? ` Too small to judge: ${suppressed.join(', ')}.` : '';
  const name = 'groupsNotWorse';
  const requirement = `${sayMetric(groupMetric)} in no group worse by more than ${sayShare(groupMargin)}`;
  if (!worst) {
    return notWorseCheck(name, requirement, 0, undefined, `No group is large enough to be judged.${left}`);
  }
  const where = `${worst.column} = ${worst.group} (${say(worst.rows)} rows)`;
  const text =
    `Of ${groups.length} groups the least sure is ${where}: ${sayMetric(groupMetric)} improves by ${sayEstimate(worst.improvement)} ` +
    `from ${say(worst.champion.value)}.${left}`;
  return notWorseCheck(name, requirement, -groupMargin * Math.abs(worst.champion.value), worst, text);
}

function notWorseCheck(
  name: string,
  requirement: string,
  limit: number,
  comparison: Comparison | undefined,
  text: string,
): GateResult {
  const { value, low, high } = comparison?.improvement ?? { value: NaN, low: NaN, high: NaN };
  return {
    name,
    passed: comparison === undefined || low >= limit,
    evidence: {
      value: stored(value),
      low: stored(low),
      high: stored(high),
      limit,
      requirement,
      text,
      constantPasses: false,
    },
  };
}

function compareGroups(
  criteria: ComparisonCriteria,
  data: ComparisonData,
): Pick<ChampionComparison, 'groups' | 'suppressedGroups'> {
  const groups: ChampionComparison['groups'] = [];
  const suppressedGroups: string[] = [];
  for (const [column, { names, codes }] of Object.entries(data.groups)) {
    names.forEach((group, code) => {
      const rows = Uint32Array.from({ length: codes.length }, (_, row) => row).filter((row) => codes[row] === code);
      if (rows.length === 0) return;
      if (rows.length < criteria.minGroupRows) {
        suppressedGroups.push(`${column} = ${group} (${rows.length} rows)`);
        return;
      }
      const comparison = bootstrapOf([criteria.groupMetric], criteria, takeRows(data, rows))[criteria.groupMetric];
      const { champion, improvement } = comparison;
      const passed = improvement.low >= -criteria.groupMargin * Math.abs(champion.value);
      groups.push({ column, group, rows: rows.length, passed, ...comparison });
    });
  }
  return { groups, suppressedGroups };
}

function bootstrapOf(
  names: readonly string[],
  { confidence, resamples, seed }: ComparisonCriteria,
  { actual, outputs, champion, challenger, weight, metrics }: ComparisonData,
): Record<string, Comparison> {
  for (const name of names) {
    if (metrics[name]) continue;
    throw new CriteriaMismatch(
      `The criteria name the metric ${name}, the comparison was given ${Object.keys(metrics).join(', ')}.`,
    );
  }
  const options = { seed, weight, resamples, confidence, outputs };
  // one seed draws the same rows for each
  return Object.fromEntries(
    names.map((name) => {
      const truth = metrics[name].actual ?? actual;
      return [name, pairedBootstrap({ [name]: metrics[name] }, truth, { champion, challenger }, options)[name]];
    }),
  );
}

function takeRows(data: ComparisonData, rows: Uint32Array): ComparisonData {
  const take = (values: Float64Array) => takeValues(values, rows, data.outputs);
  return {
    ...data,
    actual: take(data.actual),
    champion: take(data.champion),
    challenger: take(data.challenger),
    weight: data.weight && takeValues(data.weight, rows),
    metrics: Object.fromEntries(
      Object.entries(data.metrics).map(([name, { actual, ...metric }]) => [
        name,
        actual ? { ...metric, actual: take(actual) } : metric,
      ]),
    ),
  };
}
