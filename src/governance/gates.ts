import type { LeakageFinding } from '../ml/leakage/finding.ts';
import type { Estimate } from '../ml/metrics/metric.ts';
import type { Declaration } from '../usecase/declaration.ts';
import { metricNames, outcomeMetrics, type MetricName } from '../usecase/metrics.ts';
import { type GateResult, plainGate } from './gate.ts';
import { integrityGates, type ModelIntegrity } from './integrity.ts';
import { type Lineage, lineageGaps } from './lineage.ts';
import { say, sayEstimate, sayMetric, startWithMetric, stored } from './text.ts';

/** What the gates look at; all of it measured, nothing assumed. */
export type GateEvidence = {
  /** On the frozen test set. A metric that a gate asks for and that is not here fails that gate. */
  metrics: { readonly [name in MetricName]?: Estimate };
  /** The same metrics of the best constant prediction. */
  constantMetrics: { readonly [name in MetricName]?: number };
  testRows: number;
  /** Of the test rows, behind the metrics of outcomes. As long as there are too few, and this is 0, gates on those are not yet closed. */
  outcomes: number;
  leakage: readonly LeakageFinding[];
  integrity: ModelIntegrity;
  lineage: Lineage;
  /** What the declared fairness limits came to; empty where none are declared. */
  fairness: readonly GateResult[];
  /** What releasing a network in fewer bits has changed, against the declared limits; empty where nothing was. */
  quantisation: readonly GateResult[];
  /** What was seen in shadow, against the declared limits; empty where that is not asked for, or not yet. */
  shadow: readonly GateResult[];
  /** The checks of the comparison with the champion; empty where there is no champion yet. */
  championChecks: readonly GateResult[];
};

/**
 * All gates in the order in which they are shown: those that every model must pass, those that the use case declares, and those
 * of the comparison with the champion. A version may be promoted when every one of them has passed.
 */
export function evaluateGates(declared: Declaration['gates'], evidence: GateEvidence): GateResult[] {
  return [
    ...integrityGates(evidence.integrity),
    lineageGate(evidence.lineage),
    leakageGate(evidence.leakage),
    betterThanConstantGate(evidence),
    ...metricNames.flatMap((metric) => {
      const limit = declared[metric];
      // what comes of offers is known only after a model has sent some
      const isTooEarly = outcomeMetrics.includes(metric) && evidence.outcomes === 0;
      return limit && !isTooEarly ? [limitGate(metric, limit, evidence)] : [];
    }),
    ...evidence.fairness,
    ...evidence.quantisation,
    ...evidence.shadow,
    ...evidence.championChecks,
  ];
}

/** `All 12 gates passed.` or the failed ones with what was found. */
export function gateSummary(gates: readonly GateResult[]): string {
  const failed = gates.filter(({ passed }) => !passed);
  if (failed.length === 0) return `All ${gates.length} gates passed.`;
  const findings = failed.map(({ name, evidence }) => `${name}: ${evidence.text}`);
  return `${failed.length} of ${gates.length} gates failed. ${findings.join(' ')}`;
}

/**
 * The point value decides, the interval is shown: a limit inside the interval is said to be undecided. NaN fails, because a
 * metric that cannot be computed is no evidence.
 */
function limitGate(metric: MetricName, limit: { min?: number; max?: number }, evidence: GateEvidence): GateResult {
  const estimate = evidence.metrics[metric] ?? unmeasured;
  const { value, low, high } = estimate;
  const bound = limit.min ?? limit.max ?? NaN;
  const meets = (measured: number) => measured >= (limit.min ?? -Infinity) && measured <= (limit.max ?? Infinity);
  const constant = evidence.constantMetrics[metric] ?? NaN;
  const on = outcomeMetrics.includes(metric) ? `${say(evidence.outcomes)} outcomes` : `${say(evidence.testRows)} rows`;

  const found = Number.isNaN(value)
    ? `${startWithMetric(metric)} was not measured.`
    : `${startWithMetric(metric)} is ${sayEstimate(estimate)} on ${on}, a constant has ${say(constant)}.`;
  const undecided = low < bound && bound < high ? ' The limit lies inside the interval.' : '';
  const vacuous = meets(constant) ? ' A constant passes too, so this gate alone proves nothing.' : '';
  return {
    name: metric,
    passed: meets(value),
    evidence: {
      value: stored(value),
      low: stored(low),
      high: stored(high),
      limit: stored(bound),
      requirement: `${sayMetric(metric)} ${limit.min === undefined ? '≤' : '≥'} ${say(bound)}`,
      text: found + undecided + vacuous,
      constantPasses: meets(constant),
    },
  };
}

/** Whatever the declared limits let through, a model must be better than a constant for sure. */
function betterThanConstantGate({ metrics, testRows }: GateEvidence): GateResult {
  const skill = metrics.skill_over_constant ?? unmeasured;
  return {
    name: 'betterThanConstant',
    passed: skill.low > 0,
    evidence: {
      value: stored(skill.value),
      low: stored(skill.low),
      high: stored(skill.high),
      limit: 0,
      requirement: 'skill over a constant above 0 for sure',
      text: Number.isNaN(skill.value)
        ? 'The skill over a constant was not measured.'
        : `The model removes ${sayEstimate(skill)} of the constant's error on ${say(testRows)} rows.`,
      constantPasses: false,
    },
  };
}

const unmeasured: Estimate = { value: NaN, low: NaN, high: NaN };

function leakageGate(findings: readonly LeakageFinding[]): GateResult {
  return plainGate(
    'noLeakage',
    findings.length === 0,
    'no feature that knows the label',
    findings.length === 0 ? 'No leakage was found.' : findings.map(({ message }) => message).join(' '),
  );
}

function lineageGate(lineage: Lineage): GateResult {
  const gaps = lineageGaps(lineage);
  return plainGate(
    'lineageComplete',
    gaps.length === 0,
    'everything that is needed to make the model again',
    gaps.length === 0
      ? `Trained on data version ${lineage.dataVersion}, commit ${lineage.codeCommit}, seed ${lineage.seed}.`
      : `Missing: ${gaps.join(', ')}.`,
  );
}
